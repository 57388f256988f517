"""A loopback web server that can misbehave on purpose, for tests of everything that speaks HTTP.

    with LoopbackServer() as server:
        server.on("/feed", answer(RSS, headers={"ETag": '"1"'}))
        server.on("/slow", stall())
        fetch([Request(url=server.url("/feed"))], ...)
        assert server.hits[0].headers["if-none-match"] == '"1"'

It runs on an event loop in a thread of its own and writes raw bytes: what goes over the wire is what the test says. A
handler is `async def handler(hit, writer)`; it returns True if the connection may serve another request.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request as it came in. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float  # time.monotonic()


Handler = Callable[[Hit, asyncio.StreamWriter], Awaitable[bool]]


class LoopbackServer:
    """Serves on `address` and a port of the system's choice. Unknown paths get a 404.

    With the address "0.0.0.0" every 127.x.y.z is a host of its own: `url(path, host)`.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, default: Handler | None = None, address: str = "127.0.0.1"
    ) -> None:
        self._address = address
        self.hits: list[Hit] = []
        self._tls, self._default = tls, default or answer(b"nothing here", status="404 Not Found")
        self._handlers: dict[str, Handler] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.open = self.most_open = 0  # connections at once

    def on(self, path: str, handler: Handler) -> str:
        """Serve `path` (without its query) by `handler`; returns its URL."""
        self._handlers[path] = handler
        return self.url(path)

    def url(self, path: str = "/", host: str = "") -> str:
        host = host or ("127.0.0.1" if self._address == "0.0.0.0" else self._address)
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def count(self, path: str) -> int:
        """How often `path` was asked for."""
        return sum(1 for hit in self.hits if hit.path.partition("?")[0] == path)

    def __enter__(self) -> LoopbackServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, self._address, 0, ssl=self._tls, backlog=2048, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while (hit := await _read(reader)) is not None:
                self.hits.append(hit)
                handler = self._handlers.get(hit.path.partition("?")[0], self._default)
                if not await handler(hit, writer):
                    break
        except (OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort() if writer.transport.is_closing() else writer.close()


async def _read(reader: asyncio.StreamReader) -> Hit | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ", 2)
    return Hit(method=method, path=path, headers=headers, body=body, at=time.monotonic())


def head(status: str = "200 OK", headers: dict[str, str] | None = None) -> bytes:
    """A response's status line and headers."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(body: bytes = b"", *, status: str = "200 OK", headers: dict[str, str] | None = None) -> Handler:
    """A decent answer with its length; the connection stays open."""
    data = head(status, {"Content-Length": str(len(body)), **(headers or {})}) + body

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        return True

    return handler


def conditional(body: bytes, *, etag: str = "", modified: str = "", headers: dict[str, str] | None = None) -> Handler:
    """Serves `body` with validators, and 304 to those who send them back byte for byte."""
    marks = {name: value for name, value in (("ETag", etag), ("Last-Modified", modified)) if value}
    whole = answer(body, headers={**marks, **(headers or {})})
    same = answer(status="304 Not Modified", headers={**marks, **(headers or {})})

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        known = hit.headers.get("if-none-match", "") == etag if etag else False
        known = known or (bool(modified) and not etag and hit.headers.get("if-modified-since") == modified)
        return await (same if known else whole)(hit, writer)

    return handler


def redirect(target: str, status: str = "302 Found") -> Handler:
    """Sends the client elsewhere."""
    return answer(status=status, headers={"Location": target})


def raw(*pieces: bytes, pause: float = 0.0, close: bool = True) -> Handler:
    """Writes the bytes as they are, with a pause after each piece; then closes, or falls silent."""

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
        if not close:
            await asyncio.sleep(3600)
        return False

    return handler


def endless(first: bytes, piece: bytes, pause: float = 0.0) -> Handler:
    """Writes `first`, then `piece` for ever."""

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


def stall() -> Handler:
    """Takes the request and never answers."""
    return raw(close=False)


def reset() -> Handler:
    """Cuts the connection with a TCP reset."""

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        writer.transport.abort()
        return False

    return handler


def in_turn(*handlers: Handler) -> Handler:
    """One handler per request, the last one for all that follow."""
    turn = iter(handlers)
    current = [handlers[-1]]

    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        return await next(turn, current[0])(hit, writer)

    return handler
