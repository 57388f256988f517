"""The one table of foreign exceptions is complete; bodies are decoded the same however they are cut into pieces."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import socket
import ssl
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import ModuleType

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import FetchError
from monitor.fetch import KINDS
from monitor.fetch.body import Inflater, layers, read_body
from monitor.fetch.wire import FOREIGN, FOREIGN_TYPES, HOST_IS_SLOW, from_foreign, from_status, redact

# Raised only by parts of aiohttp that `fetch` does not use: websockets, proxies, uploads, local sockets, cookies.
NOT_OURS = {"WSMessageTypeError", "WebSocketError", "EofStream"}


def exceptions_of(module: ModuleType) -> list[type[BaseException]]:
    members = inspect.getmembers(module, inspect.isclass)
    found = [kind for name, kind in members if issubclass(kind, Exception) and not name.startswith("_")]
    return [kind for kind in found if not issubclass(kind, Warning) and kind.__name__ not in NOT_OURS]


FOREIGN_ALL = [
    *exceptions_of(client_exceptions),
    *exceptions_of(http_exceptions),
    *exceptions_of(aiohttp),
    *exceptions_of(ssl),
    *exceptions_of(socket),
    *exceptions_of(zlib),
    UnicodeError, UnicodeEncodeError, TimeoutError, ConnectionResetError, BrokenPipeError, OSError, ValueError,
]  # fmt: skip


@pytest.mark.parametrize(
    "kind", sorted({k for k in FOREIGN_ALL if k.__name__ not in NOT_OURS}, key=lambda k: k.__name__)
)
def test_every_foreign_exception_has_a_kind(kind: type[BaseException]) -> None:
    assert issubclass(kind, FOREIGN_TYPES), f"{kind} is not in monitor.fetch.wire.FOREIGN"


def test_the_table_has_no_row_that_never_counts() -> None:
    """A row below a base class of its own would never be reached."""
    for place, (kind, _) in enumerate(FOREIGN):
        assert not any(issubclass(kind, above) for above, _ in FOREIGN[:place]), kind


def test_kinds_are_known_words() -> None:
    assert {word for _, word in FOREIGN} <= set(KINDS)
    assert set(KINDS) >= HOST_IS_SLOW
    for status in range(100, 1000):
        if status not in (200, 203, 304):
            error = from_status("http://a.test/", status, {}, datetime(2026, 1, 1, tzinfo=UTC))
            assert error.kind in KINDS
            assert error.status == status


def test_message_names_url_and_what_happened() -> None:
    error = from_foreign("http://me:pw@a.test/feed", ConnectionRefusedError(111, "Connect call failed"))
    assert str(error).startswith("http://***@a.test/feed: the connection was refused or lost: ")
    assert "pw" not in str(error)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.test/x?y=1", "http://a.test/x?y=1"),
        ("http://u:p@a.test/x", "http://***@a.test/x"),
        ("http://u:p@w@a.test/", "http://***@a.test/"),
        ("cannot connect to http://u:p@a.test: no", "cannot connect to http://***@a.test: no"),
        ("http://[u:p@::1/", "http://***@::1/"),
        ("http://a.test/?mail=b@c", "http://a.test/?mail=b@c"),
    ],
)
def test_redact(url: str, shown: str) -> None:
    assert redact(url) == shown


async def _pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    start = 0
    for cut in sorted(cuts):
        if start < cut < len(data):
            yield data[start:cut]
            start = cut
    yield data[start:]


def decode(data: bytes, encoding: str, cuts: list[int], limit: int = 1 << 20) -> bytes:
    url = "http://a.test/"
    return asyncio.run(read_body(url, _pieces(data, cuts), layers(url, encoding, limit), limit, limit))


PACKERS = {
    "": lambda data: data,
    "identity": lambda data: data,
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
    "deflate,gzip": lambda data: gzip.compress(zlib.compress(data)),
}


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from(sorted(PACKERS)), st.lists(st.integers(0, 3000), max_size=8))
def test_bodies_decode_however_they_are_cut(data: bytes, encoding: str, cuts: list[int]) -> None:
    assert decode(PACKERS[encoding](data), encoding, cuts) == data


@settings(max_examples=80, deadline=None)
@given(st.binary(min_size=1, max_size=500), st.sampled_from(["gzip", "deflate", "gzip, gzip"]), st.data())
def test_a_cut_body_is_never_taken_for_whole(data: bytes, encoding: str, draw: st.DataObject) -> None:
    whole = PACKERS[encoding](data)
    cut = draw.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(FetchError) as caught:
        decode(whole[:cut], encoding, [])
    assert caught.value.kind in ("truncated", "bad_encoding")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "gzip, gzip"]))
def test_rubbish_is_an_error_or_a_body(data: bytes, encoding: str) -> None:
    try:
        decode(data, encoding, [])
    except FetchError as error:
        assert error.kind in ("truncated", "bad_encoding", "too_big")


def test_limits_are_exact() -> None:
    assert len(decode(gzip.compress(bytes(1000)), "gzip", [], limit=1000)) == 1000
    with pytest.raises(FetchError, match="more than"):
        decode(gzip.compress(bytes(1001)), "gzip", [], limit=1000)
    with pytest.raises(FetchError, match="more than"):
        decode(bytes(1001), "", [], limit=1000)


def test_bytes_that_unpack_to_nothing_count_on_the_wire() -> None:
    """Empty members of gzip, one after the other: for ever, and nothing comes out."""
    with pytest.raises(FetchError, match="more than"):
        decode(gzip.compress(b"") * 100, "gzip", list(range(0, 2000, 20)), limit=1000)


def test_a_bomb_is_stopped_long_before_it_is_unpacked() -> None:
    inflater = Inflater("http://a.test/", "gzip", 1 << 20)
    with pytest.raises(FetchError):
        list(inflater.feed(gzip.compress(bytes(64 << 20))))
    assert inflater._out <= (1 << 20) + (256 << 10)
