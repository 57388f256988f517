"""What goes into and comes out of `fetch`: requests, responses, settings, the kinds of failure, and how foreign
exceptions map to them. Knows no sockets.
"""

from __future__ import annotations

import email.utils
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from monitor.errors import FetchError

WEEK = 7 * 86400.0

KINDS: dict[str, str] = {
    "bad_url": "the URL cannot be read",
    "forbidden_address": "the address is private; allow_hosts under [fetch] in monitor.toml lets hosts in",
    "dns": "the host name cannot be resolved",
    "connect": "the connection was refused or lost",
    "connect_timeout": "no connection in time",
    "tls": "the certificate or the TLS handshake is wrong",
    "read_timeout": "the server fell silent",
    "total_timeout": "the answer took too long in all",
    "protocol": "the answer is not HTTP",
    "truncated": "the body ended early",
    "too_big": "the body is larger than allowed",
    "bad_encoding": "the body cannot be decompressed",
    "redirect_loop": "too many redirects, or a circle",
    "bad_redirect": "a redirect without a usable target",
    "downgrade": "a redirect from https to http",
    "gone": "the server says that it is gone for good (410)",
    "not_found": "not found (404)",
    "refused": "the server refuses to show it (401, 403, 451)",
    "rate_limited": "too many requests (429)",
    "client_error": "the server rejects the request (other 4xx)",
    "unavailable": "the server is busy or down (503)",
    "server_error": "the server failed (other 5xx)",
    "bad_status": "a status that makes no sense here",
    "host_paused": "not asked: the host wants to be left alone for now",
    "host_down": "not asked: the host did not answer others in this run",
}
HOST_IS_SLOW = frozenset({"connect", "connect_timeout", "read_timeout", "total_timeout", "dns"})

# The one place where foreign exceptions become ours; the first match counts. tests/test_fetch_wire.py proves that every
# exception of aiohttp, ssl, zlib and the socket module is caught by it.
FOREIGN: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (aiohttp.SocketTimeoutError, "read_timeout"),
    (aiohttp.ServerTimeoutError, "read_timeout"),
    (TimeoutError, "total_timeout"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ServerFingerprintMismatch, "tls"),
    (aiohttp.InvalidURL, "bad_url"),
    (aiohttp.NonHttpUrlClientError, "bad_url"),
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.TooManyRedirects, "redirect_loop"),
    (aiohttp.ClientResponseError, "protocol"),
    (HttpProcessingError, "protocol"),
    (aiohttp.ClientError, "connect"),
    (zlib.error, "bad_encoding"),
    (OSError, "connect"),  # sockets and ssl
    (ValueError, "bad_url"),  # yarl and idna: UnicodeError is one
)
FOREIGN_TYPES = tuple(kind for kind, _ in FOREIGN)

_STATUS = {401: "refused", 403: "refused", 404: "not_found", 410: "gone", 429: "rate_limited", 451: "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One URL to fetch. Validators, if any, are sent back byte for byte."""

    url: str
    kind: Literal["feed", "page"] = "feed"
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole, decoded body (or `not_modified`). A broken one is never a Response."""

    url: str  # as requested
    final_url: str  # after redirects
    status: int
    headers: Mapping[str, str]  # looked up in any case
    body: bytes = b""
    not_modified: bool = False
    permanent_to: str = ""  # the final URL, if every hop to it was a permanent redirect
    body_hash: int = 0  # of the decoded body; set by `fetch`, so that it outlives the body


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """Limits and manners. Seconds and bytes; the figures were measured against 38 faults (shared facts)."""

    concurrency: int = 100
    per_host: int = 2
    patience_seconds: float = 2.0  # after which a request does not count against `concurrency` any more ...
    stools: int = 4  # ... as long as no more than so many times `concurrency` are that slow
    connect_seconds: float = 8.0  # name, TCP and TLS together
    read_seconds: float = 10.0  # silence between two reads
    total_seconds: float = 20.0  # over the whole redirect chain, not counting the wait for a turn
    max_redirects: int = 5
    max_wire: int = 8 << 20
    max_feed: int = 10 << 20
    max_page: int = 5 << 20
    allow_hosts: tuple[str, ...] = ()  # hosts, addresses and networks exempt from the guard against private addresses
    user_agent: str = "deal-monitor/0.1 (self-hosted news reader)"
    stock_bytes: int = 64 << 20  # bodies that may wait for the consumer, before fetching waits for it
    large_at_once: int = 8  # bodies beyond 1 MB
    host_seconds: float = 120.0  # what is left of a host's requests after that waits for the next run
    host_failures: int = 3  # connections that fail in a row before the rest of a host is left for the next run
    resolver_threads: int = 64
    headers: Mapping[str, str] = field(default_factory=dict)


def hash_of(body: bytes) -> int:
    """The same number, the same bytes."""
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big")


def redact(text: str) -> str:
    """A URL, or a message that holds URLs, without users and passwords: for errors and logs."""
    return re.sub(r"//[^/?#\s]*@", "//***@", text)


def failure(url: str, kind: str, detail: str = "") -> FetchError:
    """A FetchError in the words of KINDS."""
    return FetchError(redact(url), kind, f"{KINDS[kind]}{': ' + detail if detail else ''}")


def from_foreign(url: str, error: BaseException) -> FetchError:
    """The FetchError that stands for an exception of a library."""
    kind = next(kind for foreign, kind in FOREIGN if isinstance(error, foreign))
    detail = " ".join(re.sub(r" ssl:\w+ \[.*\]$", "", str(error)).split())[:200]  # aiohttp's own notes are for nobody
    return failure(url, kind, redact(detail) or type(error).__name__)


def from_status(url: str, status: int, headers: Mapping[str, str], now: datetime) -> FetchError:
    """The FetchError for an answer that is no success, with the time that the server wants to be left alone."""
    kind = _STATUS.get(status)
    if kind is None:
        kind = "unavailable" if status == 503 else _family(status)
    wait = retry_after(headers.get("Retry-After", ""), now) if status in (429, 503) else None
    what = f"the server answered {status}: {KINDS[kind].partition(' (')[0]}"
    if wait:
        what += f"; it asks to wait {wait:.0f} s"
    return FetchError(redact(url), kind, what, status=status, retry_after=wait)


def _family(status: int) -> str:
    return {4: "client_error", 5: "server_error"}.get(status // 100, "bad_status")


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds to wait for a Retry-After of either form (RFC 9110 10.2.3), at most a week; None if unreadable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), WEEK)
    moment = http_date(value)
    if moment is None:
        return None
    return min(max((moment - now) / timedelta(seconds=1), 0.0), WEEK)


def http_date(value: str) -> datetime | None:
    """An HTTP date as aware UTC, or None."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
