"""What happens beneath apprise while one message is sent. Knows sockets, HTTP answers and log lines; no alerts.

apprise answers with one bool: it hides the status, the Retry-After and the reason, follows redirects, has no limit on
the whole exchange, connects wherever a name leads, and logs tokens at DEBUG. So while `watching()` is on in a thread,

- every connection is seen by an audit hook (`socket.connect`, the only place that no library can go around), which
  refuses private addresses and hands the socket to a timer that shuts it when the time is up;
- `requests` (which all HTTP plugins use) follows no redirect, adds the idempotency key, reads a bounded answer and
  notes status and Retry-After;
- the plain part of an HTML mail is the one that we wrote: apprise makes its own, and loses the links;
- log records of apprise and urllib3 are kept here and go no further.

Outside of `watching()` none of this does anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import wraps
from typing import Any

import apprise.plugins.email.base as mail
import requests

from monitor.addresses import is_public

MAX_ANSWER = 256 * 1024  # bytes of an answer that are read
_LOGGERS = ("apprise", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "requests_oauthlib")


class Forbidden(OSError):
    """A connection to an address that is not public."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to one request."""

    status: int
    retry_after: float | None  # seconds
    location: bool  # points elsewhere


@dataclass(slots=True)
class Watch:
    """One send: what is wanted of it, and what was seen."""

    key: str
    allow_private: bool
    seconds: float
    secret: str = ""
    plain: str = ""  # the plain part, if this is an HTML mail
    answers: list[Answer] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # log messages, with secrets in them
    forbidden: str = ""  # address that was refused
    expired: bool = False
    sockets: list[socket.socket] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


_watch: ContextVar[Watch | None] = ContextVar("monitor_notify_watch", default=None)
_installed = threading.Lock()
_done: list[bool] = []


@contextlib.contextmanager
def watching(key: str, *, allow_private: bool, seconds: float, secret: str = "", plain: str = "") -> Iterator[Watch]:
    """All of the above for what this thread sends inside the block."""
    _install()
    watch = Watch(key=key, allow_private=allow_private, seconds=seconds, secret=secret, plain=plain)
    token = _watch.set(watch)
    timer = threading.Timer(seconds, _expire, [watch])
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        _watch.reset(token)
        _close(watch)


def _install() -> None:
    with _installed:
        if _done:
            return
        _done.append(True)
        sys.addaudithook(_on_audit)
        requests.Session.send = _bounded(requests.Session.send)  # type: ignore[method-assign]
        if convert := vars(mail).get("convert_between"):
            vars(mail)["convert_between"] = _plain_part(convert)
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.addFilter(_Keeper(logger.level))
            if name == "apprise":
                logger.setLevel(logging.DEBUG)  # it says the SMTP code at DEBUG only; the filter lets nothing out


class _Keeper(logging.Filter):
    """Keeps the records of a watched send; lets others pass as before."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        watch = _watch.get()
        if watch is None:
            return record.levelno >= (self._level or logging.getLogger().getEffectiveLevel())
        watch.said.append(record.getMessage())
        return False


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    watch = _watch.get()
    if watch is None:
        return
    sock, address = arguments
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0]).partition("%")[0]
    if not watch.allow_private and not _public(host):
        watch.forbidden = host
        raise Forbidden(f"{host} is not a public address")
    with watch.lock:
        if watch.expired:
            raise TimeoutError("the time for this message is up")
        watch.sockets.append(sock.dup())


def _public(host: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return False  # a name that was not resolved before: nobody has looked where it leads


def _expire(watch: Watch) -> None:
    with watch.lock:
        watch.expired = True
        for sock in watch.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _close(watch: Watch) -> None:
    with watch.lock:
        for sock in watch.sockets:
            sock.close()
        watch.sockets.clear()


def _bounded(original: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """`requests.Session.send` that minds the watch of this thread, if there is one."""

    @wraps(original)
    def send(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        watch = _watch.get()
        if watch is None:
            return original(session, request, **options)
        request.headers["Idempotency-Key"] = watch.key
        if watch.secret:
            body = request.body if isinstance(request.body, bytes | str) else b""
            request.headers.update(signature(body, watch.secret, int(time.time())))
        options |= {"allow_redirects": False, "stream": True}
        response = original(session, request, **options)
        watch.answers.append(
            Answer(
                response.status_code, _retry_after(response), "location" in response.headers and response.is_redirect
            )
        )
        read = bytearray()
        for piece in response.iter_content(8192):
            read += piece
            if len(read) > MAX_ANSWER:
                break
        response._content = bytes(read)  # what `.content` answers from: there is no public way to bound it
        response.close()
        return response

    return send


def _plain_part(original: Callable[..., str]) -> Callable[..., str]:
    """apprise's conversion of a mail's HTML to text, with our text in its place if there is one."""

    def convert(*arguments: Any, **options: Any) -> str:
        watch = _watch.get()
        return watch.plain if watch and watch.plain else original(*arguments, **options)

    return convert


def signature(body: bytes | str, secret: str, at: int) -> dict[str, str]:
    """Headers that prove who sent the body and when: HMAC-SHA256 over "TIMESTAMP.BODY", hex."""
    data = body.encode() if isinstance(body, str) else body
    digest = hmac.new(secret.encode(), f"{at}.".encode() + data, hashlib.sha256).hexdigest()
    return {"X-Deal-Monitor-Timestamp": str(at), "X-Deal-Monitor-Signature": f"sha256={digest}"}


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
