"""What the monitor could not see: feeds that fail, articles that are closed, companies that nothing names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import ahocorasick_rs
import polars as pl

from monitor.alerts import count
from monitor.models import Company, FeedState
from monitor.pipeline.run import Run
from monitor.pipeline.settings import manners
from monitor.schedule import health
from monitor.store import Store

SPAN = timedelta(days=30)


def gaps(run: Run, since: datetime, most: int) -> list[str]:
    """Feeds that are not well, at most so many of them, and articles read since then of which not all could be read."""
    states: dict[int, FeedState] = run.store.rows("feeds", list(run.feeds))
    lines = []
    for state in states.values():
        word, why = health(state, run.now, manners(run.config))
        if word in ("failing", "gone", "silent", "overflowed"):
            lines.append(f"feed {state.title or state.url}: {word}, {why}")
    if len(lines) > most:
        lines = [*lines[:most], f"{len(lines) - most} more feeds are not well: deal-monitor feeds --failing"]
    return [*lines, *_half_read(run, since)]


def _half_read(run: Run, since: datetime) -> list[str]:
    """Articles of which not all could be read, by reason, with the outlets that had most of them."""
    outlets = (
        run.store.latest("articles")
        .filter((pl.col("read_at") > since) & (pl.col("state") != "full") & ~pl.col("baseline"))
        .group_by("state", "outlet")
        .len("count")
        .sort(["count", "outlet"], descending=[True, False])
        .collect()
    )
    lines = []
    for state, words in (
        ("paywall", "behind a paywall, read as far as open"),
        ("consent", "behind a consent dialogue, read from the feed's summary"),
        ("summary", "without a page, read from the feed's summary"),
    ):
        rows = outlets.filter(pl.col("state") == state)
        if rows.height:
            most = ", ".join(rows["outlet"].head(3)) + (f" and {rows.height - 3} more" if rows.height > 3 else "")
            lines.append(f"{count(int(rows['count'].sum()), 'article')} {words}: {most}")
    return lines


def unnamed(
    store: Store, companies: Sequence[Company], now: datetime, span: timedelta = SPAN
) -> tuple[tuple[str, ...], datetime | None]:
    """Names of the companies that no article of the span names, and since when something was read (None: nothing was).

    Newest articles first, a day at a time, until every company is found: the texts of one day are in memory at most.
    """
    names = _Names(companies)
    began: datetime | None = None
    articles = store.scan("articles").select("title", "text", "read_at")
    for day in range(max(span.days, 1)):
        until = now - timedelta(days=day)
        here = pl.col("read_at").is_between(until - timedelta(days=1), until, closed="right")
        rows = articles.filter(here).collect()
        if rows.height:
            began = rows["read_at"].min()  # type: ignore[assignment]
            names.look(f"{title}\n{text}" for title, text in rows.select("title", "text").iter_rows())
        if not names.left:
            break
    return tuple(c.name for c in companies if c.name in names.left), began


class _Names:
    """The names of companies, whole and with their case, or all in capitals."""

    def __init__(self, companies: Iterable[Company]) -> None:
        owners: dict[str, str] = {}
        for company in companies:
            for name in (company.name, *company.aliases, *company.products):
                owners |= {name: company.name, name.upper(): company.name}
        self.left = set(owners.values())
        self._owners = list(owners.values())
        self._automaton = ahocorasick_rs.AhoCorasick(list(owners) or ["\x00"])

    def look(self, texts: Iterable[str]) -> None:
        """Take the companies that the texts name off the list."""
        for text in texts:
            self.left.difference_update(self._in(text))
            if not self.left:
                return

    def _in(self, text: str) -> Iterator[str]:
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
                yield self._owners[index]
