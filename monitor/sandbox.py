"""Runs parsers of strangers' bytes in worker processes that can be killed: too slow, too big or dead is a value.

Knows processes, pipes and limits; knows nothing of feeds or pages. The workers are plain subprocesses of our own rather
than `multiprocessing`'s: those import the caller's `__main__` again in every worker (under Prefect that costs seconds
and 100 MB each) and refuse to start below a Dask worker. One item is with a worker at a time (a round trip costs some
60 microseconds), so that each has its own deadline and a killed worker takes no neighbour with it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, TypeVar

from monitor.errors import SandboxError

T = TypeVar("T")
R = TypeVar("R")

PRELOAD = ("monitor.feeds", "monitor.extract", "feedparser", "trafilatura")
LOOKAHEAD = 256  # finished results that may wait for an older one, so that memory stays bounded
_NO_MEMORY = pickle.dumps(("memory", "needed more memory than a worker may have"))  # made while there is some
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from monitor.sandbox import _serve; _serve(sys.argv)"


class Sandbox:
    """A few worker processes, started when first needed. A context manager; leaving it ends them.

    `workers`: processes (default: one per core); `timeout`: seconds per item; `memory_mb`: address space per worker;
    `preload`: modules that a worker imports before it takes work. Threads may share one sandbox: each running `map`
    has workers of its own, which the next one takes over.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        timeout: float = 10.0,
        memory_mb: int = 1024,
        preload: tuple[str, ...] = PRELOAD,
    ) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))
        self.timeout = timeout
        self.memory_mb = memory_mb
        self._preload = preload
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers. A sandbox that was closed takes no more work."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R | SandboxError]:
        """`function` of each item, in order; a `SandboxError` stands where a worker had to be killed or raised.

        `function` must be importable by name (top level of a module). Results are yielded as they come, and no worker
        is started when there are no items.
        """
        run = _Run(self, pickle.dumps(function))
        try:
            yield from run.results(iter(items))
        finally:
            run.close()

    def _borrow(self) -> _Worker:
        with self._lock:
            if self._closed:
                raise SandboxError("died", "the sandbox is closed")
            if self._idle:
                return self._idle.pop()
        return _Worker(self.timeout, self.memory_mb, self._preload)

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < self.workers:
                self._idle.append(worker)
                return
        worker.kill()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, timeout: float, memory_mb: int, preload: tuple[str, ...]) -> None:
        ours, theirs = socket.socketpair()
        limits = json.dumps({"timeout": timeout, "memory_mb": memory_mb, "preload": preload})
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _BOOT, json.dumps(sys.path), str(theirs.fileno()), limits],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                process_group=0,  # a terminal's Ctrl-C is the parent's alone, also while the worker starts
            )
        self.pipe = Connection(ours.detach())
        self.ready = False  # has answered once: its start does not count against the first item
        self.index = -1  # the item it works on
        self.deadline = 0.0

    def kill(self) -> int:
        """End the process at once and return its exit code."""
        self.process.kill()
        self.pipe.close()
        return self.process.wait()


class _Run:
    """One call of `map`: which worker has which item, and the results that wait for an older one."""

    def __init__(self, sandbox: Sandbox, function: bytes) -> None:
        self._sandbox, self._function = sandbox, function
        self._busy: dict[Connection, _Worker] = {}
        self._done: dict[int, Any] = {}
        self._sent = 0

    def results(self, items: Iterator[Any]) -> Iterator[Any]:
        head, more = 0, True
        while True:
            while more and len(self._busy) < self._sandbox.workers and self._sent - head < LOOKAHEAD:
                more = self._send_next(items)
            if not self._busy:
                return
            self._collect()
            while head in self._done:
                yield self._done.pop(head)
                head += 1

    def close(self) -> None:
        """Workers still at work (the caller left early) hold an answer that nobody wants: kill them."""
        for worker in self._busy.values():
            worker.kill()
        self._busy.clear()

    def _send_next(self, items: Iterator[Any]) -> bool:
        try:
            item = next(items)
        except StopIteration:
            return False
        worker = self._sandbox._borrow()
        worker.index, self._sent = self._sent, self._sent + 1
        # an import of the parsers on a busy machine may take its time; the worker then says that it is ready
        worker.deadline = time.monotonic() + self._sandbox.timeout + (0 if worker.ready else 60)
        self._busy[worker.pipe] = worker
        # a worker that died while idle is noticed by `_collect`
        with contextlib.suppress(OSError):
            worker.pipe.send_bytes(pickle.dumps((self._function, item)))
        return True

    def _collect(self) -> None:
        """Wait for an answer or a deadline, and settle every item that either concerns."""
        soonest = min(worker.deadline for worker in self._busy.values())
        for pipe in wait(list(self._busy), max(0.0, soonest - time.monotonic())):
            assert isinstance(pipe, Connection)
            self._receive(self._busy[pipe])
        now = time.monotonic()
        for worker in [worker for worker in self._busy.values() if worker.deadline <= now]:
            self._settle(worker, self._late(), alive=False)

    def _late(self) -> SandboxError:
        return SandboxError("timeout", f"took longer than {self._sandbox.timeout:g} s and was stopped")

    def _receive(self, worker: _Worker) -> None:
        try:
            word, value = pickle.loads(worker.pipe.recv_bytes())
        except (EOFError, OSError):
            self._settle(worker, None, alive=False)
            return
        if word == "ready":
            worker.ready = True
            worker.deadline = time.monotonic() + self._sandbox.timeout
        elif word == "value":
            self._settle(worker, value, alive=True)
        else:
            self._settle(worker, SandboxError(word, value), alive=word == "raised")

    def _settle(self, worker: _Worker, value: object, *, alive: bool) -> None:
        del self._busy[worker.pipe]
        if alive:
            self._done[worker.index] = value
            self._sandbox._give_back(worker)
            return
        code = worker.kill()
        if code == -signal.SIGALRM:  # it stopped itself: the caller was busy and did not look
            value = self._late()
        self._done[worker.index] = value or SandboxError("died", f"the worker died ({_cause(code)})")


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(argv: list[str]) -> None:
    """The worker: limits first, then items until the pipe closes."""
    pipe, limits = Connection(int(argv[2])), json.loads(argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it closes the pipe
    logging.disable(logging.CRITICAL)  # what a parser says of a stranger's bytes is in the result or nowhere
    for name in limits["preload"]:
        import_module(name)
    size = limits["memory_mb"] << 20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send_bytes(pickle.dumps(("ready", None)))
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        signal.alarm(int(limits["timeout"]) + 5)  # the parent kills sooner, unless it was killed itself
        word, answer = _answer(message)
        signal.alarm(0)
        try:
            pipe.send_bytes(answer)
        except OSError:
            return
        if word == "memory":  # what is left of this process is not to be trusted
            return


def _answer(message: bytes) -> tuple[str, bytes]:
    try:
        function, item = pickle.loads(message)
        if isinstance(function, bytes):
            function = pickle.loads(function)
        return "value", pickle.dumps(("value", function(item)))
    except MemoryError:
        return "memory", _NO_MEMORY
    except Exception as error:  # noqa: BLE001 - the border: parsers raise anything, and here it becomes a value
        return "raised", pickle.dumps(("raised", f"{type(error).__name__}: {error}"[:300]))
