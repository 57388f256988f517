"""The live page: addresses, forms and answers. What may be asked at all is `guard`'s; what pages show is `pages`'."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor.config import Config, load_config
from monitor.errors import ConfigError, MonitorError
from monitor.pipeline import health
from monitor.store import Store, open_store
from monitor.web.guard import COOKIE, Guard, Patience, Rules, cookie, sign_in
from monitor.web.links import Served, asset
from monitor.web.pages import Pages
from monitor.web.search import parse_query
from monitor.web.snapshot import Snapshots

ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
LONGEST = 300_000  # bytes of a form: an article's text and some room
LOOK_AGAIN = 60.0  # seconds for which the answer to "is all well?" counts

Page = Callable[[Request, Pages], str | None]


class Site:
    """What the page knows between two requests: the user's files as they are now, and the tables."""

    def __init__(self, file: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file, self._clock = file, clock
        self._stamp: tuple[object, ...] = ()
        self._looked: tuple[float, list[str]] = (float("-inf"), [])
        self.wrong = ""  # what is wrong with the files since they were changed
        self.config: Config = load_config(file)
        self.store: Store = open_store(self.config.state)
        self.snapshots = Snapshots(self.store)
        self.refresh()

    @property
    def now(self) -> datetime:
        return self._clock()

    def refresh(self) -> None:
        """Read the user's files again if one has changed. While one is wrong, the last good ones count."""
        stamp = tuple((f.name, f.stat().st_mtime_ns) for f in sorted(self._file.parent.glob("*.toml")))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.config, self.wrong = load_config(self._file), ""
        except ConfigError as error:
            self.wrong = str(error)

    def troubles(self) -> list[str]:
        """What a person should look at; asked of the tables once a minute."""
        at, found = self._looked
        if time.monotonic() - at > LOOK_AGAIN:
            found = health.look(self.config, self.store, self.now).troubles
            self._looked = (time.monotonic(), found)
        return [self.wrong, *found] if self.wrong else found


def make_app(file: Path, rules: Rules, *, read_only: bool = False, site: Site | None = None) -> ASGIApp:
    """The page of one configuration, behind its guard."""
    site = site or Site(file)
    desk = _Desk(site, rules, read_only)
    routes = [
        Route("/", lambda _: RedirectResponse("/events", 307)),
        Route("/login", desk.login, methods=["GET", "POST"]),
        Route("/assets/{print}/{name}", _asset),
        *(Route(path, desk.page(page)) for path, page in PAGES.items()),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: desk.missing}), rules)


class _Desk:
    """The answers that want to know who asks what of which site."""

    def __init__(self, site: Site, rules: Rules, read_only: bool) -> None:
        self.site, self.rules, self.read_only = site, rules, read_only
        self._patience = Patience()

    def pages(self, request: Request, **more: Any) -> Pages:
        site = self.site
        site.refresh()
        common = {"csrf": self.rules.csrf, "signed_in": bool(self.rules.token), **more}
        return Pages(
            config=site.config, store=site.store, snapshot=site.snapshots.newest(), links=Served(), now=site.now,
            more=common, read_only=self.read_only, troubles=site.troubles,
        )  # fmt: skip

    def page(self, page: Page) -> Callable[[Request], Response]:
        """A page of PAGES as an answer. It is made in a thread: the tables are read without haste."""

        def answer(request: Request) -> Response:
            try:
                pages = self.pages(request)
                html = page(request, pages)
            except MonitorError as error:
                return PlainTextResponse(f"{error}\n", 500)
            if html is None:
                return HTMLResponse(pages.gone("Not here", "There is no such deal or company."), 404)
            return HTMLResponse(html)

        return answer

    async def missing(self, request: Request, _: Exception) -> Response:
        pages = await run_in_threadpool(self.pages, request)
        return HTMLResponse(pages.gone("Not here", "There is no page at this address."), 404)

    async def login(self, request: Request) -> Response:
        """Ask for the token, and let in who knows it. A form without our word is asked again: nothing was lost."""
        given = await fields(request) if request.method == "POST" else {}
        onward = given.get("next", "") or request.query_params.get("next", "")
        onward = onward if onward.startswith("/") and not onward.startswith(("//", "/\\", "/login")) else "/events"
        wrong = False
        if "token" in given:
            right = self.rules.opens(given["token"]) and given.get("csrf") == self.rules.csrf
            await self._patience.judge(right)
            if right:
                return sign_in(RedirectResponse(onward, 303), self.rules, time.time())
            wrong = True
        pages = await run_in_threadpool(self.pages, request)
        html = pages.render("login.html", "", next=onward, wrong=wrong)
        answer = HTMLResponse(html, 403 if wrong else 200)
        if cookie(request.headers):
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self.rules.secure)
        return answer


async def fields(request: Request) -> Mapping[str, str]:
    """The fields of a form as browsers send it; what is too long, or no form, is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return {}
    text = body.decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=50).items()}


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        return PlainTextResponse("no such file\n", 404)
    keep = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(asset(name), media_type=ASSETS[name], headers=keep)


def _event(request: Request, pages: Pages) -> str | None:
    return pages.event(request.path_params["event_id"])


def _graph(request: Request, pages: Pages) -> str:
    day = request.query_params.get("day", "")  # days since 1970, as the slider counts
    known = day.isascii() and day.isdigit() and len(day) < 6
    return pages.graph(date(1970, 1, 1) + timedelta(days=int(day)) if known else None)


PAGES: Mapping[str, Page] = {
    "/events": lambda request, pages: pages.events(parse_query(request.query_params)),
    "/events/{event_id}": _event,
    "/companies": lambda _, pages: pages.companies(),
    "/companies/{name:path}": lambda request, pages: pages.company(request.path_params["name"]),
    "/graph": _graph,
    "/volumes": lambda _, pages: pages.volumes(),
    "/feeds": lambda _, pages: pages.feeds(),
    "/alerts": lambda request, pages: pages.alerts(
        request.query_params.get("channel", "")[:200], request.query_params.get("state", "")[:20]
    ),
}
