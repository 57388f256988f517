"""Who may ask the live page, and for what. Nothing here knows what a page shows.

The page knows a desk's secrets and can mute its alerts, and any web site that a reader visits can make the browser ask
it. So: only known host names (a name that was bound anew to this machine is none), no request out of another site but
a plain click on a link, writes only from our own pages and with the word that only they know, and a token for readers
where more than this machine can ask.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # not no-referrer: with that, browsers hide where our own forms come from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
COOKIE = "deal_monitor"
DAYS = 30  # for which a reader stays signed in
AGAIN = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Deal monitor</title>"
    '<meta http-equiv="refresh" content="0"><p>One moment.</p></html>'
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Who may ask."""

    hosts: frozenset[str] = frozenset(LOOPBACK)  # names under which the page may be asked, in lower case, no port
    token: str = ""  # what readers must know; "" = nothing
    secure: bool = False  # readers come over https: cookies go nowhere else
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32))  # of this process

    @property
    def csrf(self) -> str:
        """The word that our own forms carry."""
        return hmac.new(self.salt, b"csrf", hashlib.sha256).hexdigest()

    def session(self, until: int) -> str:
        """The value of a cookie that counts until then (seconds since 1970). Signed with the token, which it hides."""
        seal = hmac.new(self.token.encode(), f"session {until}".encode(), hashlib.sha256).hexdigest()
        return f"{until}.{seal}"

    def knows(self, cookie: str, now: float) -> bool:
        """Whether a cookie is one of ours and still counts."""
        until, _, _ = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < 13):
            return False
        return hmac.compare_digest(cookie.encode(), self.session(int(until)).encode()) and now < int(until)

    def opens(self, token: str) -> bool:
        """Whether this is the token."""
        return bool(self.token) and hmac.compare_digest(token.encode(), self.token.encode())


def known_hosts(host: str, page_url: str = "", more: Iterable[str] = ()) -> frozenset[str]:
    """The names under which a page bound to `host` may be asked."""
    bound = () if host in ("", "0.0.0.0", "::") else (host,)
    named = urlsplit(page_url).hostname or ""
    return frozenset(name.lower().strip("[]") for name in (*LOOPBACK, *bound, named, *more) if name)


class Guard:
    """The door in front of the app. It lets in or answers by itself, and puts its headers on every answer."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no web sockets here
        refusal = refuse(scope["method"], Headers(scope=scope), self._rules) or self._unknown(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send, scope["path"]))

    def _unknown(self, scope: Scope) -> Response | None:
        """Where to send a reader whom we do not know yet."""
        rules, headers = self._rules, Headers(scope=scope)
        if not rules.token or scope["path"] == "/login" or scope["path"].startswith("/assets/"):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if rules.knows(cookie(headers), time.time()) or (scheme.lower() == "bearer" and rules.opens(given.strip())):
            return None
        if scope["method"] != "GET":
            return PlainTextResponse("sign in first\n", 401)
        if (
            headers.get("sec-fetch-site") == "cross-site"
        ):  # a click in a mail brings no strict cookie: ask again from here
            return HTMLResponse(AGAIN)
        asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"/login?{urlencode({'next': asked})}", 303)


def refuse(method: str, headers: Headers, rules: Rules) -> Response | None:
    """The answer to a request that nobody of ours would make; None for one that may go on."""
    host = headers.get("host", "")
    if _name(host) not in rules.hosts or len(headers.getlist("host")) != 1:
        return PlainTextResponse(
            f"{host[:100]!r} is not a name of this page; to allow it, put it into [page] hosts of monitor.toml\n", 421
        )
    site = headers.get("sec-fetch-site", "")
    if method in ("GET", "HEAD"):
        click = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        return (
            None if site in ("", "same-origin", "none") or click else PlainTextResponse("not from another site\n", 403)
        )
    if method != "POST":
        return PlainTextResponse("GET or POST\n", 405, {"Allow": "GET, HEAD, POST"})
    origin = headers.get("origin", "")
    if origin and urlsplit(origin).netloc.lower() != host.lower():
        return PlainTextResponse("not from another site\n", 403)
    if site not in ("", "same-origin"):
        return PlainTextResponse("not from another site\n", 403)
    return None


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower() if not set(host) & set("@/?#\\ ") else ""
    except ValueError:
        return ""


def cookie(headers: Headers) -> str:
    """Our cookie, "" if there is none."""
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""


def sign_in(answer: Response, rules: Rules, now: float) -> Response:
    """Let the browser keep who its reader is."""
    until = int(now) + DAYS * 86400
    answer.set_cookie(
        COOKIE, rules.session(until), max_age=DAYS * 86400, httponly=True, samesite="strict", secure=rules.secure
    )
    return answer


class Patience:
    """Slows guesses at the token: each wrong one makes the next answer later, whoever asks."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._wrong, self._sleep = 0, sleep

    async def judge(self, right: bool) -> None:
        if right:
            self._wrong = 0
        else:
            self._wrong += 1
            await self._sleep(min(0.25 * 2**self._wrong, 8.0))


def _with_headers(send: Send, path: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if not path.startswith("/assets/"):
                headers["Cache-Control"] = "no-store"
        await send(message)

    return sending
