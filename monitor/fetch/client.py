"""Fetches URLs politely and within limits, redirects followed by hand so that each hop passes the guard.

Failures of single URLs are values (`FetchError`), never exceptions. Knows HTTP; knows no feeds, pages or tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
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
    since: float = 0.0  # when it was first asked


@dataclass(slots=True)
class _Trip:
    """One request on its way through its redirects."""

    request: Request
    left: float  # seconds of the total that are not used up
    clock: asyncio.Timeout | None = None  # runs while a hop is under way
    permanent: bool = True
    hops: int = 0
    seen: set[str] = field(default_factory=set)


class _Places:
    """How many requests run at once, and how many bytes may wait for the consumer.

    Who has taken long gives up the chair for a stool at the side, so that tarpits do not hold up the others; the stools
    are counted too. No chair is given while the consumer has its hands full.
    """

    def __init__(self, settings: FetchSettings) -> None:
        self._chairs = asyncio.Semaphore(settings.concurrency)
        self._stools = settings.concurrency * settings.stools
        self._patience = settings.patience_seconds
        self._room, self._open = settings.stock_bytes, asyncio.Event()
        self._open.set()

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

        timer = None
        try:
            await self.room()
            timer = asyncio.get_running_loop().call_later(self._patience, move)
            yield
        finally:
            if timer is not None:
                timer.cancel()
            if on_chair:
                self._chairs.release()
            else:
                self._stools += 1

    async def room(self) -> None:
        """Wait until the consumer has caught up."""
        await self._open.wait()

    def stock(self, size: int) -> None:
        """So many bytes wait for the consumer (negative: were taken away)."""
        self._room -= size
        if self._room > 0:
            self._open.set()
        else:
            self._open.clear()


class Fetcher:
    """A client for one run. `async with` it; then `get` may be called for any number of requests at once."""

    def __init__(self, settings: FetchSettings, lookup: Lookup = look_up) -> None:
        self._settings = settings
        self._guard = Guard(settings.allow_hosts)
        self._lookup = lookup
        self._places = _Places(settings)
        self._hosts: dict[str, _Host] = defaultdict(lambda: _Host(asyncio.Semaphore(settings.per_host)))
        self._large = asyncio.Semaphore(settings.large_at_once)
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
        """The response, or the error that stands for it. Whoever took it in calls `taken`."""
        trip, url = _Trip(request, self._settings.total_seconds), request.url
        while True:
            try:
                answer = await self._take_turn(trip, self._guard.check_url(url))
            except FetchError as error:
                return error
            if isinstance(answer, Response):
                return answer
            url = answer

    def taken(self, result: Result) -> None:
        """The consumer took a result away: there is room for another."""
        if isinstance(result, Response):
            self._places.stock(-weight(result))

    async def _take_turn(self, trip: _Trip, url: URL) -> Response | str:
        """Wait for a turn at the host and one among all; only then does the clock run. A str is the next hop."""
        host = self._hosts[url.host or ""]
        async with host.turns, self._places.place():
            if host.paused is not None:
                raise host.paused
            host.since = host.since or time.monotonic()
            if time.monotonic() - host.since > self._settings.host_seconds:
                raise failure(str(url), "host_paused", "the host's share of time in this run is used up")
            try:
                answer = await self._timed(trip, url)
            except FetchError as error:
                self._note(host, url, error)
                raise
            host.failures = 0
            if isinstance(answer, Response):
                self._places.stock(weight(answer))
            return answer

    @contextlib.asynccontextmanager
    async def _long(self, trip: _Trip) -> AsyncGenerator[None, None]:
        """The turn of a long body: few at once, and none while the consumer is behind. The wait is not the server's."""
        assert trip.clock is not None
        loop, ends = asyncio.get_running_loop(), trip.clock.when()
        began = loop.time()
        trip.clock.reschedule(None)
        async with self._large:
            await self._places.room()
            waited = loop.time() - began
            trip.left += waited
            trip.clock.reschedule(ends + waited if ends is not None else None)
            yield

    async def _timed(self, trip: _Trip, url: URL) -> Response | str:
        """One hop within what is left of the total; raises FetchError and nothing foreign."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(trip.left) as trip.clock:
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
        body = await self._body(str(url), trip, answer)
        return Response(
            url=request.url,
            final_url=str(url),
            status=answer.status,
            headers=headers,
            body=body,
            body_hash=hash_of(body),
            permanent_to=moved,
        )

    async def _body(self, url: str, trip: _Trip, answer: aiohttp.ClientResponse) -> bytes:
        s, request = self._settings, trip.request
        limit = s.max_feed if request.kind == "feed" else s.max_page
        if (answer.content_length or 0) > s.max_wire:
            raise failure(url, "too_big", f"it announces {answer.content_length} bytes")
        inflaters = layers(url, answer.headers.get("Content-Encoding", ""), limit)
        body = await read_body(url, answer.content.iter_any(), inflaters, s.max_wire, limit, lambda: self._long(trip))
        return unpack_file(url, body, limit) if request.kind == "feed" else body


def weight(result: Result) -> int:
    """Bytes that a result takes in memory, about: its body, its headers and the record itself."""
    return (len(result.body) if isinstance(result, Response) else 0) + 2000


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
                fetcher.taken(item[1])
            await work  # raises if there is a bug of ours
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
