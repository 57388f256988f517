"""Which deals a reader wants to see: a query as it stands in an address, and the deals that fit it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import get_args
from urllib.parse import urlencode

import polars as pl

from monitor.models import DEAL_TYPES, EvidenceLevel, Status
from monitor.web.snapshot import WORDS, Snapshot

SIZE = 50  # deals on a page
STATUSES: tuple[str, ...] = get_args(Status)
EVIDENCE: tuple[str, ...] = get_args(EvidenceLevel)
SINCE = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30), "365d": timedelta(days=365)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What the reader asked for; empty fields ask for nothing."""

    text: str = ""  # every word of it must occur
    company: str = ""
    deal_type: str = ""
    status: str = ""
    evidence: str = ""
    since: str = ""  # a key of SINCE, or a day such as 2026-11-01
    until: str = ""  # the last day
    page: int = 1

    def address(self, **other: object) -> str:
        """The query of an address, with some fields changed."""
        changed = replace(self, **{"page": 1, **other})  # type: ignore[arg-type]
        fields = {
            "q": changed.text, "company": changed.company, "type": changed.deal_type, "status": changed.status,
            "evidence": changed.evidence, "since": changed.since, "until": changed.until,
            "page": changed.page if changed.page > 1 else "",
        }  # fmt: skip
        return urlencode({name: value for name, value in fields.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked at all."""
        return bool(self.address())


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found."""

    rows: pl.DataFrame
    total: int
    page: int
    pages: int


def parse_query(given: Mapping[str, str]) -> Query:
    """A query from the fields of an address. What makes no sense there is passed over."""

    def word(name: str, known: Iterable[str]) -> str:
        return given.get(name, "") if given.get(name, "") in known else ""

    page = given.get("page", "")
    return Query(
        text=" ".join(given.get("q", "").split())[:200],
        company=" ".join(given.get("company", "").split())[:200],
        deal_type=word("type", DEAL_TYPES),
        status=word("status", STATUSES),
        evidence=word("evidence", EVIDENCE),
        since=given.get("since", "") if given.get("since") in SINCE or _day(given.get("since", "")) else "",
        until=given.get("until", "") if _day(given.get("until", "")) else "",
        page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 7 else 1,
    )


def search(snapshot: Snapshot, query: Query, now: datetime, zone: tzinfo = UTC, size: int = SIZE) -> Found:
    """The deals that fit, newest change first, one page of them. A page past the last is the last."""
    fitting = snapshot.deals.filter(*_wanted(query, now, zone))
    pages = max(1, -(-fitting.height // size))
    page = min(max(1, query.page), pages)
    return Found(fitting.slice((page - 1) * size, size), fitting.height, page, pages)


def _wanted(query: Query, now: datetime, zone: tzinfo) -> list[pl.Expr]:
    wanted = [
        pl.col(column) == value
        for column, value in (
            ("deal_type", query.deal_type), ("status", query.status), ("evidence_level", query.evidence),
        )
        if value
    ]  # fmt: skip
    if query.company:
        wanted.append(party(query.company))
    if query.since:
        day = _day(query.since)
        start = datetime.combine(day, time(), zone) if day else now - SINCE[query.since]
        wanted.append(pl.col("changed_at") >= start.astimezone(UTC))
    if day := _day(query.until):
        end = datetime.combine(day, time(), zone) + timedelta(days=1)
        wanted.append(pl.col("changed_at") < end.astimezone(UTC))
    wanted += [pl.col(WORDS).str.contains(word, literal=True) for word in query.text.lower().split()]
    return wanted or [pl.lit(True)]


def party(name: str) -> pl.Expr:
    """Deals to which a company of this name is party, however the name is written."""
    return pl.col("parties").list.eval(pl.element().str.to_lowercase() == name.lower()).list.any()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
