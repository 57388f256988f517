"""Where the files of the tables live: a folder, or a prefix on object storage. Two doors with the same five verbs.

`create` is the one that everything stands on: it makes a file appear whole under its name, durable, or raises LostRace
because the name is taken. Nothing is ever overwritten. Knows nothing of what is in the files.

A folder: temporary file beside the target, fsync, `os.link` (which refuses a name that exists), fsync of the folder.
Object storage: a put on condition that there is nothing (`If-None-Match: *`); 409 means the same as 412. Objects are
read through a local cache, which needs no care because no object ever changes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from monitor.errors import LostRace, StoreError

TEMPORARY: Final = ".tmp-"
ASIDE: Final = "damaged"  # folder in a table's folder for files that the doctor took out of service


class Place(Protocol):
    """The files of one table."""

    def where(self, name: str) -> str:
        """Path or URL of a file, for messages."""

    def names(self) -> set[str]:
        """Names of all files."""

    def ages(self, now: float) -> dict[str, float]:
        """Seconds since each file was made, temporary files included."""

    def local(self, name: str, *, again: bool = False) -> Path:
        """A path at which the file can be read. `again`: a copy kept on this machine is not to be trusted."""

    def fetch(self, names: Sequence[str]) -> None:
        """Many files are about to be read: get them all at once, if that is quicker."""

    def scratch(self) -> Path:
        """A fresh path for something big to be written and then handed to `create`."""

    def create(self, name: str, content: bytes | Path) -> None:
        """The file, whole and durable. LostRace if the name is taken by other content. Takes a scratch file away."""

    def delete(self, name: str) -> None:
        """No such file any more."""

    def put_aside(self, name: str) -> None:
        """Out of service, kept in the folder `damaged` for a person to look at."""


def place_at(url: str, table: str) -> Place:
    """The place of a table under the state's folder or URL."""
    if "://" in url and not url.startswith("file://"):
        from monitor.store.bucket import Bucket  # the extra `s3`; a folder needs none of it

        return Bucket(url, table)
    return Folder(folder_of(url) / table)


def folder_of(url: str) -> Path:
    """The folder that a path or file:// URL names."""
    return Path(urlsplit(url).path if url.startswith("file://") else url).expanduser()


class Folder:
    """A place on a local file system that has hard links."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def where(self, name: str) -> str:
        return str(self.root / name)

    def names(self) -> set[str]:
        try:
            return set(os.listdir(self.root))  # noqa: PTH208 - a third of the time, on every look
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise StoreError(f"{self.root}: cannot be listed: {error.strerror}; check its permissions") from error

    def ages(self, now: float) -> dict[str, float]:
        found = {}
        for name in self.names():
            with suppress(FileNotFoundError):
                found[name] = now - (self.root / name).stat().st_mtime
        return found

    def local(self, name: str, *, again: bool = False) -> Path:
        return self.root / name

    def fetch(self, names: Sequence[str]) -> None:
        pass

    def scratch(self) -> Path:
        with self._writing():
            self._make_root()
        return self.root / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"

    def create(self, name: str, content: bytes | Path) -> None:
        temporary = content if isinstance(content, Path) else self.scratch()
        target = self.root / name
        try:
            with self._writing():
                if isinstance(content, bytes):
                    _write(temporary, content)
                else:
                    _sync(temporary)
                self._link(temporary, target)
                _sync(self.root)
        finally:
            with suppress(OSError):
                temporary.unlink()

    def _link(self, temporary: Path, target: Path) -> None:
        try:
            os.link(temporary, target)
        except FileExistsError as error:
            if not temporary.samefile(target):  # same: a network file system asked twice on its own
                raise LostRace(f"{target}: somebody else was first") from error
        except OSError as error:
            if error.errno in _NO_LINKS:
                raise StoreError(
                    f"{self.root}: this file system has no hard links; keep the state on one that has"
                ) from error
            raise

    def delete(self, name: str) -> None:
        with self._writing(), suppress(FileNotFoundError):
            (self.root / name).unlink()

    def put_aside(self, name: str) -> None:
        with self._writing():
            (self.root / ASIDE).mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                (self.root / name).replace(self.root / ASIDE / f"{int(time.time())}-{name}")
            _sync(self.root / ASIDE)
            _sync(self.root)

    def _make_root(self) -> None:
        if not self.root.is_dir():
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.root.parent, self.root.parent.parent):
                _sync(folder)  # else a power cut could take the folder with all that was committed in it

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{self.root}: cannot be written: {error.strerror or error}; make room or mend it, then run again"
            ) from error


_NO_LINKS: Final = frozenset({1, 38, 95})  # EPERM, ENOSYS, EOPNOTSUPP


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cache_folder(url: str) -> Path:
    """Where copies of the objects of a URL are kept on this machine."""
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    if not os.access(root if root.exists() else root.parent, os.W_OK):
        root = Path(tempfile.gettempdir())
    return root / "deal-monitor" / hashlib.sha256(url.encode()).hexdigest()[:16]


def cached(path: Path, content: Any) -> Path:
    """Content put into the cache so that no reader sees half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}"
        with temporary.open("wb") as file:
            for chunk in content:
                file.write(chunk)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path.parent}: cannot be written: {error.strerror}; make room or set XDG_CACHE_HOME"
        ) from error
    return path
