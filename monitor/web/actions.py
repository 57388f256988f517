"""What the live page may write, each a form: mute, hear again, correct, label, send again. And `explain`, which reads.

Every form carries the word that only our own pages know. An answer sends the reader back to where they were, with a
word on what was done; that word is one of ours, never one out of the address.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from monitor.desk import articles, labels, mutes
from monitor.desk.corrections import correct, send_again
from monitor.errors import MonitorError, NotKnown
from monitor.models import Article, Event, Status
from monitor.web.links import Served
from monitor.web.search import STATUSES
from monitor.web.site import Desk, fields

DONE = {
    "muted": "Muted. It is listed under Alerts, where it can be heard again.",
    "heard": "It will be heard again.",
    "corrected": "The status is corrected, and the newest article labelled.",
    "right": "Labelled as right.",
    "wrong": "Labelled as wrong: no such deal.",
    "again": "It is due again: the next run sends it.",
}
Fields = Mapping[str, str]
Action = Callable[[Desk, Request, Fields], tuple[str, str]]  # to which page, and a key of DONE


def routes(desk: Desk) -> list[Route]:
    """The forms' addresses."""
    found = [Route("/explain", _explain(desk), methods=["GET", "POST"])]
    if not desk.read_only:
        found += [Route(path, _answer(desk, action), methods=["POST"]) for path, action in ACTIONS.items()]
    return found


def _answer(desk: Desk, action: Action) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        given = await fields(request)
        if not ours(desk, given):
            return await _refused(desk, request, "The form was too old. Go back, load the page again, and repeat.", 403)
        try:
            page, done = await run_in_threadpool(_alone, desk, action, request, given)
        except NotKnown as error:
            return await _refused(desk, request, str(error), 404)
        except MonitorError as error:
            return await _refused(desk, request, str(error), 400)
        except OSError as error:
            what = f"{error.filename or 'a file'}: cannot be written ({error.strerror}); give the page the right to"
            return await _refused(desk, request, what, 500)
        return RedirectResponse(f"{page}?{urlencode({'done': done})}", 303)

    return answer


def ours(desk: Desk, given: Fields) -> bool:
    """Whether a form came from one of our own pages."""
    return hmac.compare_digest(given.get("csrf", "").encode(), desk.rules.csrf.encode())


def _alone(desk: Desk, action: Action, request: Request, given: Fields) -> tuple[str, str]:
    """One at a time: files of the user's are read, changed and written."""
    with desk.writing:
        return action(desk, request, given)


async def _refused(desk: Desk, request: Request, what: str, code: int) -> Response:
    pages = await run_in_threadpool(desk.pages, request)
    return HTMLResponse(pages.gone("That did not work", what), code)


def _event(desk: Desk, request: Request) -> Event:
    event_id = request.path_params["event_id"]
    found = desk.site.store.rows("events", [event_id])
    if event_id not in found:
        raise NotKnown(f"{event_id}: no deal has this id")
    event: Event = found[event_id]
    return event


def _mute(desk: Desk, request: Request, given: Fields) -> tuple[str, str]:
    event = _event(desk, request)
    kind, _, which = given.get("what", "").partition(":")
    at = int(which) if which.isascii() and which.isdigit() and len(which) < 3 else 10**6
    names: Mapping[str, tuple[str, ...]] = {
        "event": (event.event_id,),
        "pair": event.parties if len(event.parties) == 2 else (),
        "company": event.parties[at : at + 1],
        "feed": event.feeds[at : at + 1],
    }
    if not names.get(kind):
        raise NotKnown("say what to mute: this deal, the pair, one of its companies, or a feed that brought it")
    days = given.get("days", "")
    today = desk.site.now.astimezone(desk.site.config.zone).date()
    until = today + timedelta(days=int(days)) if days in ("7", "30", "90") else None
    mutes.mute(desk.site.config, kind, names[kind], until, given.get("why", "")[:300])
    return Served().event(event.event_id), "muted"


def _hear(desk: Desk, _: Request, given: Fields) -> tuple[str, str]:
    names = [given[f"name{number}"] for number in range(2) if f"name{number}" in given]
    if not mutes.unmute(desk.site.config, names):
        raise NotKnown(f"{' and '.join(names)}: is not muted")
    return Served().page("alerts"), "heard"


def _correct(desk: Desk, request: Request, given: Fields) -> tuple[str, str]:
    event, status, why = _event(desk, request), given.get("status", ""), given.get("why", "")[:300]
    if status not in STATUSES:
        raise NotKnown(f"{status[:40]}: is no status; there are {', '.join(STATUSES)}")
    correct(desk.site.store, event.event_id, cast(Status, status), desk.site.now, why)
    newest = [a for a in articles.stored(event.event_id, desk.site.store) if a.url == event.url][-1:]
    if status != "expired":
        _label(desk, newest, labels.Truth(
            parties=event.parties, deal_type=event.deal_type, status=labels.label_status(status), note=why
        ))  # fmt: skip
    return Served().event(event.event_id), "corrected"


def _verdict(desk: Desk, request: Request, given: Fields) -> tuple[str, str]:
    event, verdict = _event(desk, request), given.get("verdict", "")
    if verdict not in ("right", "wrong"):
        raise NotKnown("say whether it is right or wrong")
    known = articles.stored(event.event_id, desk.site.store)
    if not known:
        raise NotKnown("the articles of this deal are no longer stored: there is nothing to label")
    _label(desk, known, labels.Truth(nothing=verdict == "wrong", note=f"{verdict}, said on the page"))
    return Served().event(event.event_id), verdict


def _label(desk: Desk, known: list[Article], truth: labels.Truth) -> None:
    config = desk.site.config
    labels.label(known, truth, desk.site.reader, config, config.folder)


def _again(desk: Desk, _: Request, given: Fields) -> tuple[str, str]:
    key = given.get("key", "")
    if not (key.isascii() and key.isdigit() and len(key) < 21):
        raise NotKnown("there is no such alert")
    send_again(desk.site.store, int(key), desk.site.now)
    return Served().page("alerts"), "again"


def _explain(desk: Desk) -> Callable[[Request], Any]:
    """Stored articles for everybody who may read; a text or an address only from our own form, as it costs."""

    async def answer(request: Request) -> Response:
        given = await fields(request) if request.method == "POST" else {}
        if request.method == "POST" and not ours(desk, given):
            return await _refused(desk, request, "The form was too old. Load the page again, and repeat.", 403)
        what = (given.get("what") or request.query_params.get("what", "")).strip()[:200_000]
        return await run_in_threadpool(_explained, desk, request, what)

    return answer


def _explained(desk: Desk, request: Request, what: str) -> Response:
    pages = desk.pages(request)
    notice, known = "", []
    try:
        known = _named(desk, request, what)
    except MonitorError as error:
        notice = str(error)
    answers = [(article, desk.site.reader.read(article)) for article in known]
    html = pages.render("explain.html", "explain", given=what, answers=answers, notice=notice, notice_kind="bad")
    return HTMLResponse(html, 404 if notice else 200)


def _named(desk: Desk, request: Request, what: str) -> list[Article]:
    if not what:
        return []
    one_word = len(what.split()) == 1
    if one_word and ("://" in what or len(what) == 16 or request.method == "GET"):
        store, config = desk.site.store, desk.site.config
        if request.method == "POST":
            return articles.found(what, store, config)
        found = articles.stored(what, store)
        if not found:
            raise NotKnown(f"{what}: is not stored; send the form to have it fetched")
        return found
    return [articles.typed(what)] if request.method == "POST" else []


ACTIONS: Mapping[str, Action] = {
    "/events/{event_id}/mute": _mute,
    "/events/{event_id}/status": _correct,
    "/events/{event_id}/label": _verdict,
    "/mutes/off": _hear,
    "/alerts/again": _again,
}
