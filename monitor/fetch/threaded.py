"""`fetch` for callers without an event loop: it runs in a thread of its own and hands results over as they come."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence

from monitor.fetch.client import Result, fetch_all, weight
from monitor.fetch.guard import Lookup, look_up
from monitor.fetch.wire import FetchSettings, Request

HANDED_OVER = 1 << 20  # bytes of results on their way between two threads


class _Bridge:
    """Runs `fetch_all` on an event loop in a thread of its own and hands the results over, a few at a time."""

    def __init__(self, requests: Sequence[Request], settings: FetchSettings, lookup: Lookup) -> None:
        self._arguments = (requests, settings, lookup)
        self._results: queue.SimpleQueue[tuple[int, Result] | BaseException | None] = queue.SimpleQueue()
        self._put = self._got = 0  # bytes, each counted by one of the two threads
        self._room = min(HANDED_OVER, settings.stock_bytes)
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def results(self) -> Iterator[tuple[int, Result]]:
        self._thread.start()
        try:
            while (result := self._results.get()) is not None:
                if isinstance(result, BaseException):
                    raise result
                self._got += weight(result[1])
                yield result
        finally:
            self._stop.set()
            self._cancel()
            self._thread.join()

    def _cancel(self) -> None:
        """The consumer has had enough: end what is still under way."""
        if self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just closed by itself
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    def _run(self) -> None:
        try:
            asyncio.run(self._pump())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread, which raises it
            self._results.put(error)
        else:
            self._results.put(None)

    async def _pump(self) -> None:
        self._task = asyncio.current_task()
        if self._stop.is_set():
            return
        async with contextlib.aclosing(fetch_all(*self._arguments)) as results:
            async for result in results:
                while self._put - self._got > self._room:  # no thread waits: one would hold up the end of the process
                    await asyncio.sleep(0.005)
                self._put += weight(result[1])
                self._results.put(result)


def fetch_iter(
    requests: Sequence[Request], settings: FetchSettings | None = None, lookup: Lookup = look_up
) -> Iterator[tuple[int, Result]]:
    """`fetch_all` for callers without an event loop, or in the midst of one. Stop early by closing the iterator."""
    if not requests:
        return iter(())
    return _Bridge(requests, settings or FetchSettings(), lookup).results()


def fetch(requests: Sequence[Request], settings: FetchSettings | None = None, lookup: Lookup = look_up) -> list[Result]:
    """The results in the order of the requests."""
    results = dict(fetch_iter(requests, settings, lookup))
    return [results[index] for index in range(len(requests))]
