"""Reads a body within limits and decompresses it itself: clients take a truncated gzip body for a good one, and decode
bombs in one go. Knows Content-Encoding; knows no sockets.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

from monitor.fetch.wire import failure

STEP = 256 << 10  # most that one call of a decompressor may put out
LARGE = 1 << 20  # bytes from which on a body is read only with few others
MAX_LAYERS = 2  # "gzip, gzip" happens by mistake; more is malice


class Inflater:
    """One layer of gzip or deflate, with a limit on what comes out and knowledge of whether it came to its end."""

    def __init__(self, url: str, encoding: str, limit: int) -> None:
        self._url, self._limit = url, limit
        self._gzip = encoding in ("gzip", "x-gzip")
        self._wbits = 31 if self._gzip else 15
        self._z = zlib.decompressobj(self._wbits)
        self._out = 0
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds, in pieces of at most STEP bytes. Raises FetchError `too_big` or `bad_encoding`."""
        while data:
            if self._z.eof:
                if not (self._gzip and data.lstrip(b"\0")[:1] == b"\x1f"):
                    break  # padding or rubbish after the end: ignored, as browsers do
                data = data.lstrip(b"\0")
                self._z = zlib.decompressobj(self._wbits)
            yield self._step(data)
            data = self._z.unconsumed_tail or self._z.unused_data

    @property
    def finished(self) -> bool:
        """Whether the stream's own end was seen (or nothing came at all: an empty body)."""
        return self._z.eof or not self._started

    def _step(self, data: bytes) -> bytes:
        try:
            out = self._z.decompress(data, STEP)
        except zlib.error as error:
            if self._gzip or self._started or self._wbits < 0:
                raise failure(self._url, "bad_encoding", str(error)) from error
            self._wbits = -15  # "deflate" without the zlib wrapper, as some servers send it
            self._z = zlib.decompressobj(self._wbits)
            return self._step(data)
        self._started = True
        self._out += len(out)
        if self._out > self._limit:
            raise failure(self._url, "too_big", f"more than {self._limit >> 20} MB when unpacked")
        return out


def layers(url: str, content_encoding: str, limit: int) -> list[Inflater]:
    """The decompressors for a Content-Encoding, outermost first. Raises FetchError for one that was not offered."""
    names = [name for name in content_encoding.lower().replace(" ", "").split(",") if name not in ("", "identity")]
    if len(names) > MAX_LAYERS or any(name not in ("gzip", "x-gzip", "deflate") for name in names):
        raise failure(url, "bad_encoding", f"Content-Encoding: {content_encoding[:60]}")
    return [Inflater(url, name, limit) for name in reversed(names)]


def _through(inflaters: Sequence[Inflater], data: bytes) -> Iterator[bytes]:
    """`data` through all layers, a piece at a time."""
    if not inflaters:
        yield data
        return
    for piece in inflaters[0].feed(data):
        yield from _through(inflaters[1:], piece)


async def read_body(
    url: str,
    chunks: AsyncIterator[bytes],
    inflaters: Sequence[Inflater],
    max_wire: int,
    limit: int,
    turn_of_long: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
) -> bytes:
    """The whole body, decoded. Raises FetchError `too_big`, `bad_encoding`, `truncated`.

    Beyond LARGE bytes it is read on only within `turn_of_long`: a few long bodies at once, not a hundred.
    """
    parts: list[bytes] = []
    wire = size = 0
    async with contextlib.AsyncExitStack() as turn:
        async for chunk in chunks:
            wire += len(chunk)
            if wire > max_wire:
                raise failure(url, "too_big", f"more than {max_wire >> 20} MB")
            for piece in _through(inflaters, chunk):
                if size <= LARGE < size + len(piece):
                    await turn.enter_async_context(turn_of_long())
                size += len(piece)
                if size > limit:
                    raise failure(url, "too_big", f"more than {limit >> 20} MB")
                parts.append(piece)
        if not all(inflater.finished for inflater in inflaters):
            raise failure(url, "truncated", "the compressed stream has no end")
        return b"".join(parts)


def unpack_file(url: str, body: bytes, limit: int) -> bytes:
    """A body that is itself a gzip file (sitemaps) unpacked; any other as it is."""
    if body[:3] != b"\x1f\x8b\x08":
        return body
    inflater = Inflater(url, "gzip", limit)
    out = b"".join(inflater.feed(body))
    if not inflater.finished:
        raise failure(url, "truncated", "the gzip file has no end")
    return out
