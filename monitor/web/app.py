"""The live page: addresses, forms and answers. What may be asked at all is `guard`'s; what pages show is `pages`'."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from monitor import report
from monitor.errors import MonitorError
from monitor.models import Event
from monitor.web import actions
from monitor.web.guard import COOKIE, Guard, Patience, Rules, sign_in
from monitor.web.links import asset
from monitor.web.pages import Pages
from monitor.web.search import parse_query, search
from monitor.web.site import Desk, Site, fields

ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}

MOST = 10_000  # deals in one file for other programs


class Form(NamedTuple):
    """One form in which deals are taken along."""

    kind: str  # media type
    file: bool  # saved rather than shown
    make: Callable[[Sequence[Event], str], str | bytes]  # from the deals and the address asked


TITLE = "Deal monitor: changes"
FORMS: Mapping[str, Form] = {
    "csv": Form("text/csv", True, lambda events, _: report.to_csv(events)),
    "jsonl": Form("application/jsonl", True, lambda events, _: report.to_json_lines(events)),
    "atom": Form("application/atom+xml", False, lambda events, at: report.to_atom(report.choose(events), TITLE, at)),
    "json": Form(
        "application/feed+json", False, lambda events, at: report.to_json_feed(report.choose(events), TITLE, at)
    ),
}
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
        *(Route(f"/events.{form}", answers.take_along(form)) for form in FORMS),
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
            if moved := pages.snapshot.buried.get(request.path_params.get("event_id", "")):
                return RedirectResponse(pages.links.event(moved), 301)
            if html is None:
                return HTMLResponse(pages.gone("Not here", "There is no such deal or company."), 404)
            return HTMLResponse(html)

        return answer

    def take_along(self, form: str) -> Callable[[Request], Response]:
        """The deals that a query finds, for other programs."""

        def answer(request: Request) -> Response:
            try:
                pages = self.pages(request)
                query = parse_query(request.query_params)
                rows = search(pages.snapshot, query, pages.now, pages.config.zone, MOST).rows
                deals = pages.records(rows) if FORMS[form].file else pages.changes(rows)
                made = FORMS[form].make(deals, f"http://{request.headers['host']}{request.url.path}")
            except MonitorError as error:
                return PlainTextResponse(f"{error}\n", 500)
            named = {"Content-Disposition": f'attachment; filename="deals.{form}"'} if FORMS[form].file else {}
            return Response(made, media_type=FORMS[form].kind, headers=named)

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
        if "out" in given and actions.ours(self.desk, given):
            answer: Response = RedirectResponse("/login", 303)
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self.rules.secure)
            return answer
        if "token" in given:
            right = self.rules.opens(given["token"]) and given.get("csrf") == self.rules.csrf
            await self._patience.judge(right)
            if right:
                return sign_in(RedirectResponse(onward, 303), self.rules, time.time())
            wrong = True
        pages = await run_in_threadpool(self.pages, request)
        html = pages.render("login.html", "", next=onward, wrong=wrong)
        return HTMLResponse(html, 403 if wrong else 200)


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
    company = " ".join(request.query_params.get("company", "").split())[:200]
    return pages.graph(date(1970, 1, 1) + timedelta(days=int(day)) if known else None, company)


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
