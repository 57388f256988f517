"""Fetches URLs politely and within limits, redirects followed by hand so that each hop passes the guard.

Failures of single URLs are values (`FetchError`), never exceptions. Knows HTTP; knows no feeds, pages or tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from monitor.errors import FetchError
from monitor.fetch.body import layers, read_body, unpack_file
from monitor.fetch.guard import Guard, GuardedResolver, Lookup, look_up, socket_factory
from monitor.fetch.wire import (
    FOREIGN_TYPES,
    HOST_IS_SLOW,
    FetchSettings,
    Request,
    Response,
    failure,
    from_foreign,
    from_status,
    hash_of,
    http_date,
)

Result = Response | FetchError

_ACCEPT = {
    "feed": "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9,"
    " application/json;q=0.8, */*;q=0.5",
    "page": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5",
}
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(slots=True)
class _Host:
    """Manners towards one host: how many at once, and whether to leave it alone for the rest of this run."""

    turns: asyncio.Semaphore
    paused: FetchError | None = None
    failures: int = 0


@dataclass(slots=True)
class _Trip:
    """One request on its way through its redirects."""

    request: Request
    left: float  # seconds of the total that are not used up
    permanent: bool = True
    hops: int = 0
    seen: set[str] = field(default_factory=set)


class _Places:
    """How many requests run at once. Who has taken long gives up the place for a stool at the side, so that tarpits do
    not hold up the others; the stools are counted too.
    """

    def __init__(self, settings: FetchSettings) -> None:
        self._chairs = asyncio.Semaphore(settings.concurrency)
        self._stools = settings.concurrency * settings.stools
        self._patience = settings.patience_seconds

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncGenerator[None, None]:
        """A chair, for as long as the block runs; after `patience_seconds` a stool, if one is free."""
        await self._chairs.acquire()
        on_chair = True

        def move() -> None:
            nonlocal on_chair
            if self._stools > 0:
                self._stools -= 1
                on_chair = False
                self._chairs.release()

        timer = asyncio.get_running_loop().call_later(self._patience, move)
        try:
            yield
        finally:
            timer.cancel()
            if on_chair:
                self._chairs.release()
            else:
                self._stools += 1


class Fetcher:
    """A client for one run. `async with` it; then `get` may be called for any number of requests at once."""

    def __init__(self, settings: FetchSettings, lookup: Lookup = look_up) -> None:
        self._settings = settings
        self._guard = Guard(settings.allow_hosts)
        self._lookup = lookup
        self._places = _Places(settings)
        self._hosts: dict[str, _Host] = defaultdict(lambda: _Host(asyncio.Semaphore(settings.per_host)))
        self._room = asyncio.Semaphore(settings.concurrency * (settings.stools + 2))  # bodies not yet taken
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Fetcher:
        s = self._settings
        connector = aiohttp.TCPConnector(
            limit=0,  # turns are ours to give
            resolver=GuardedResolver(self._guard, s.resolver_threads, self._lookup),
            socket_factory=socket_factory(self._guard),
            ttl_dns_cache=300,
        )
        # ceil_threshold: aiohttp would round timeouts of more than five seconds up to whole seconds
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=s.connect_seconds,
            sock_connect=s.connect_seconds,
            sock_read=s.read_seconds,
            ceil_threshold=1e6,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=64 << 10,
            headers={"User-Agent": s.user_agent, "Accept-Encoding": "gzip, deflate", **s.headers},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, request: Request) -> Result:
        """The response, or the error that stands for it. Whoever took a Response in calls `taken`."""
        trip, url = _Trip(request, self._settings.total_seconds), request.url
        while True:
            try:
                answer = await self._take_turn(trip, self._guard.check_url(url))
            except FetchError as error:
                return error
            if isinstance(answer, Response):
                return answer
            url = answer

    def taken(self) -> None:
        """A body was taken away by the consumer: there is room for another."""
        self._room.release()

    async def _take_turn(self, trip: _Trip, url: URL) -> Response | str:
        """Wait for a turn at the host and one among all; only then does the clock run. A str is the next hop."""
        host = self._hosts[url.host or ""]
        async with host.turns, self._places.place():
            if host.paused is not None:
                raise host.paused
            await self._room.acquire()
            answer: Response | str = ""
            try:
                answer = await self._timed(trip, url)
            except FetchError as error:
                self._note(host, url, error)
                raise
            finally:
                if not isinstance(answer, Response):
                    self._room.release()
            host.failures = 0
            return answer

    async def _timed(self, trip: _Trip, url: URL) -> Response | str:
        """One hop within what is left of the total; raises FetchError and nothing foreign."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(trip.left):
                return await self._ask(trip, url)
        except FOREIGN_TYPES as error:
            raise from_foreign(str(url), error) from error
        finally:
            trip.left -= time.monotonic() - start

    def _note(self, host: _Host, url: URL, error: FetchError) -> None:
        """Learn from a failure how to treat the rest of the host in this run."""
        if error.kind in ("rate_limited", "unavailable"):
            host.paused = failure(str(url.origin()), "host_paused", f"it answered {error.status}")
            host.paused.retry_after = error.retry_after
        host.failures = host.failures + 1 if error.kind in HOST_IS_SLOW else 0
        if host.failures >= self._settings.host_failures:
            host.paused = failure(str(url.origin()), "host_down", error.what)

    async def _ask(self, trip: _Trip, url: URL) -> Response | str:
        assert self._session is not None
        headers = {"Accept": _ACCEPT[trip.request.kind]}
        if trip.request.etag:
            headers["If-None-Match"] = trip.request.etag
        if trip.request.last_modified:
            headers["If-Modified-Since"] = trip.request.last_modified
        async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status in _REDIRECTS:
                return self._next_hop(trip, url, answer)
            return await self._finish(trip, url, answer)

    def _next_hop(self, trip: _Trip, url: URL, answer: aiohttp.ClientResponse) -> str:
        location = answer.headers.get("Location", "").strip()
        try:
            target = url.join(URL(location))
        except ValueError as error:
            raise failure(str(url), "bad_redirect", str(error)) from error
        if not location or not target.host:
            raise failure(str(url), "bad_redirect", location[:100])
        if url.scheme == "https" and target.scheme == "http":
            raise failure(str(url), "downgrade", f"to {target.origin()}")
        trip.hops += 1
        trip.seen.add(str(url))
        trip.permanent = trip.permanent and answer.status in _PERMANENT
        target = target.with_fragment(None)
        if trip.hops > self._settings.max_redirects or str(target) in trip.seen:
            raise failure(str(url), "redirect_loop", f"after {trip.hops} hops")
        return str(target)

    async def _finish(self, trip: _Trip, url: URL, answer: aiohttp.ClientResponse) -> Response:
        request, headers = trip.request, CIMultiDict(answer.headers)
        moved = str(url) if trip.hops and trip.permanent else ""
        if answer.status == 304 and (request.etag or request.last_modified):
            return Response(
                url=request.url, final_url=str(url), status=304, headers=headers, not_modified=True, permanent_to=moved
            )
        if answer.status not in (200, 203):
            now = http_date(headers.get("Date", "")) or datetime.now(UTC)
            raise from_status(str(url), answer.status, headers, now)
        body = await self._body(str(url), request, answer)
        return Response(
            url=request.url,
            final_url=str(url),
            status=answer.status,
            headers=headers,
            body=body,
            body_hash=hash_of(body),
            permanent_to=moved,
        )

    async def _body(self, url: str, request: Request, answer: aiohttp.ClientResponse) -> bytes:
        s = self._settings
        limit = s.max_feed if request.kind == "feed" else s.max_page
        if (answer.content_length or 0) > s.max_wire:
            raise failure(url, "too_big", f"it announces {answer.content_length} bytes")
        inflaters = layers(url, answer.headers.get("Content-Encoding", ""), limit)
        body = await read_body(url, answer.content.iter_any(), inflaters, s.max_wire, limit)
        return unpack_file(url, body, limit) if request.kind == "feed" else body


async def fetch_all(
    requests: Sequence[Request], settings: FetchSettings, lookup: Lookup = look_up
) -> AsyncGenerator[tuple[int, Result], None]:
    """(place in `requests`, result) of every request, as they come. A slow consumer slows the fetching down."""
    results: asyncio.Queue[tuple[int, Result] | None] = asyncio.Queue()
    async with Fetcher(settings, lookup) as fetcher:

        async def one(index: int, request: Request) -> None:
            results.put_nowait((index, await fetcher.get(request)))

        async def everything() -> None:
            async with asyncio.TaskGroup() as group:
                for index, request in enumerate(requests):
                    group.create_task(one(index, request))

        work = asyncio.create_task(everything())
        work.add_done_callback(lambda _: results.put_nowait(None))
        try:
            while (item := await results.get()) is not None:
                yield item
                if isinstance(item[1], Response):
                    fetcher.taken()
            await work  # raises if there is a bug of ours
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work


class _Bridge:
    """Runs `fetch_all` on an event loop in a thread of its own and hands the results over, a few at a time."""

    def __init__(self, requests: Sequence[Request], settings: FetchSettings, lookup: Lookup) -> None:
        self._arguments = (requests, settings, lookup)
        self._results: queue.Queue[tuple[int, Result] | BaseException | None] = queue.Queue(settings.concurrency)
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def results(self) -> Iterator[tuple[int, Result]]:
        self._thread.start()
        try:
            while (result := self._results.get()) is not None:
                if isinstance(result, BaseException):
                    raise result
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
            self._end(error)
        else:
            self._end(None)

    async def _pump(self) -> None:
        self._task = asyncio.current_task()
        if self._stop.is_set():
            return
        async with contextlib.aclosing(fetch_all(*self._arguments)) as results:
            async for result in results:
                while self._results.full():  # no thread waits for room: one would hold up the end of the process
                    await asyncio.sleep(0.005)
                self._results.put_nowait(result)

    def _end(self, error: BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._results.put(error, timeout=0.1)
                return


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
