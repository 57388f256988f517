"""One run at a time: a lock that dies with its holder. The tables themselves need none; it saves work, not data.

On a folder it is an advisory lock of the operating system on the file `lock`, which a killed process cannot keep. On
object storage it is a lease in the object `lock`, renewed while held and up for taking five minutes after the last
renewal.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from monitor.errors import LockHeld, LostRace, StoreError
from monitor.store.places import folder_of

LEASE: Final = 300.0  # seconds


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the lock of the state at a folder or URL; LockHeld if another run does."""
    if "://" in url and not url.startswith("file://"):
        with _lease(url):
            yield
        return
    root = folder_of(url)
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / "lock", os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise StoreError(f"{root}: cannot be written: {error.strerror}; check its permissions") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 100, 0).decode("utf-8", "replace").strip()
            raise LockHeld(f"{root}: another run ({holder or 'unknown'}) works on these tables; wait for it") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextmanager
def _lease(url: str) -> Iterator[None]:
    from monitor.store.bucket import connect

    lease = _Lease(connect(url.rstrip("/")), url)
    lease.take()
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(LEASE / 5):
            if not lease.renew():
                return

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        lease.give_back()


class _Lease:
    def __init__(self, store: Any, url: str) -> None:
        self.store, self.url = store, url
        self.owner = f"{socket.gethostname()} {os.getpid()} {secrets.token_hex(4)}"
        self.tag: dict[str, Any] = {}

    def take(self) -> None:
        import obstore

        from monitor.store.bucket import bucket_errors

        try:
            with bucket_errors(self.url):
                self.tag = dict(obstore.put(self.store, "lock", self._text(), mode="create"))
                return
        except LostRace:
            pass
        with bucket_errors(self.url):
            found = obstore.get(self.store, "lock")
            state = json.loads(bytes(found.bytes()))
        if time.time() < state["until"] <= time.time() + 2 * LEASE:  # beyond that its clock was wrong, or ours is
            raise LockHeld(f"{self.url}: another run ({state['owner']}) works on these tables; wait for it")
        if not self._replace(dict(found.meta)):
            raise LockHeld(f"{self.url}: another run has just begun on these tables; wait for it")

    def renew(self) -> bool:
        return self._replace(self.tag)

    def _replace(self, tag: dict[str, Any]) -> bool:
        import obstore

        from monitor.store.bucket import bucket_errors

        try:
            with bucket_errors(self.url):
                mode: Any = {name: tag[name] for name in ("e_tag", "version") if tag.get(name)}
                self.tag = dict(obstore.put(self.store, "lock", self._text(), mode=mode))
        except StoreError:  # lost to another run, or no answer: the lease will run out
            return False
        return True

    def give_back(self) -> None:
        import obstore

        from monitor.store.bucket import bucket_errors

        if self.renew():  # still ours
            with bucket_errors(self.url):
                obstore.delete(self.store, "lock")

    def _text(self) -> bytes:
        return json.dumps({"owner": self.owner, "until": time.time() + LEASE}).encode()
