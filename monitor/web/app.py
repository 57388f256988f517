"""The live page: addresses, forms and answers. What may be asked at all is `guard`'s; what pages show is `pages`'."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor.errors import MonitorError
from monitor.web import actions
from monitor.web.guard import COOKIE, Guard, Patience, Rules, cookie, sign_in
from monitor.web.links import asset
from monitor.web.pages import Pages
from monitor.web.search import parse_query
from monitor.web.site import Desk, Site, fields

ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}

Page = Callable[[Request, Pages], str | None]


def make_app(file: Path, rules: Rules, *, read_only: bool = False, site: Site | None = None) -> ASGIApp:
    """The page of one configuration, behind its guard."""
    site = site or Site(file)
    desk = Desk(site, rules, read_only)
    answers = _Answers(desk)
    routes = [
        Route("/", lambda _: RedirectResponse("/events", 307)),
        Route("/login", answers.login, methods=["GET", "POST"]),
        Route("/assets/{print}/{name}", _asset),
        *actions.routes(desk),
        *(Route(path, answers.page(page)) for path, page in PAGES.items()),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: answers.missing}), rules)


class _Answers:
    """The answers that want to know who asks what of which site."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.rules, self.pages = desk, desk.rules, desk.pages
        self._patience = Patience()

    def page(self, page: Page) -> Callable[[Request], Response]:
        """A page of PAGES as an answer. It is made in a thread: the tables are read without haste."""

        def answer(request: Request) -> Response:
            try:
                done = actions.DONE.get(request.query_params.get("done", ""), "")
                pages = self.pages(request, notice=done, notice_kind="good")
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
