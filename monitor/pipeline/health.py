"""How the monitor does, from its tables alone: for `status`, for the metrics that Prometheus reads, for reports."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from monitor.alerts import count
from monitor.config import Config
from monitor.models import Delivery, FeedState, stable_key
from monitor.pipeline.settings import manners
from monitor.schedule import health, spell
from monitor.store import Store

LATE = 3.0  # a poll is late after so many intervals without one
RECENT = timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Health:
    """Counts, and what a person should look at."""

    feeds: dict[str, int] = field(default_factory=dict)  # how they do -> how many
    feeds_late: int = 0  # due for more than three intervals
    outcomes: dict[str, int] = field(default_factory=dict)  # kinds of failure -> feeds
    last_poll_seconds: float | None = None  # ago
    entries_day: int = 0  # of the last 24 hours, as all that follow
    articles_day: dict[str, int] = field(default_factory=dict)  # state -> how many
    pages_waiting: int = 0
    claims_day: int = 0
    changes_day: dict[str, int] = field(default_factory=dict)
    deliveries_day: dict[str, int] = field(default_factory=dict)
    queued: int = 0  # messages to be sent again
    dead: int = 0  # given up and not yet looked at
    troubles: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def text(self) -> str:
        """A few lines for a person."""
        ok = self.feeds.get("ok", 0)
        rest = ", ".join(f"{n} {word}" for word, n in sorted(self.feeds.items()) if word != "ok")
        poll = "never" if self.last_poll_seconds is None else f"{spell(self.last_poll_seconds)} ago"
        changes = ", ".join(f"{n} {kind}" for kind, n in sorted(self.changes_day.items())) or "none"
        articles = sum(self.articles_day.values())
        lines = [
            f"feeds: {sum(self.feeds.values())}, of them {ok} ok" + (f", {rest}" if rest else ""),
            f"last poll: {poll}",
            f"last 24 hours: {self.entries_day} entries, {articles} articles, changes: {changes}",
            f"waiting: {_n(self.pages_waiting, 'page')}, {_n(self.queued, 'alert')}; "
            f"given up: {_n(self.dead, 'alert')}",
        ]
        return "\n".join([*lines, *(f"TROUBLE: {t}" for t in self.troubles)])


def _n(number: int, word: str) -> str:
    return count(number, word) or f"0 {word}s"


def look(config: Config, store: Store, now: datetime) -> Health:
    """How things are now."""
    found = Health()
    _feeds(found, config, store, now)
    since = now - RECENT
    found.entries_day = _count(store, "entries", "first_seen", since)
    found.claims_day = _count(store, "claims", "read_at", since)
    found.articles_day = _by(store, "articles", "state", pl.col("read_at") >= since)
    found.changes_day = _by(store, "events", "change", (pl.col("changed_at") >= since) & ~pl.col("baseline"))
    _pages(found, store, now)
    _deliveries(found, config, store, now, since)
    return found


def _feeds(found: Health, config: Config, store: Store, now: datetime) -> None:
    wanted = {stable_key(f.url): f for f in config.feeds if f.enabled}
    states: dict[int, FeedState] = store.rows("feeds", list(wanted))
    ways = manners(config)
    words = {key: health(state, now, ways)[0] for key, state in states.items()}
    found.feeds = dict(Counter(words.values()) + Counter({"new": len(wanted) - len(states)}))
    found.outcomes = dict(Counter(s.outcome for s in states.values() if s.failures))
    limit = timedelta(seconds=LATE * config.fetch.interval_seconds)
    found.feeds_late = sum(1 for s in states.values() if s.next_due is not None and now - s.next_due > limit)
    if states:
        found.last_poll_seconds = (now - max(s.polled_at for s in states.values())).total_seconds()
    if found.last_poll_seconds is not None and found.last_poll_seconds > limit.total_seconds():
        found.troubles.append(f"no poll for {spell(found.last_poll_seconds)}; is the schedule running?")
    failing = found.feeds.get("failing", 0) + found.feeds.get("gone", 0)
    if states and failing * 4 > len(wanted):
        found.troubles.append(f"{failing} of {len(wanted)} feeds fail; see `deal-monitor feeds --failing`")


def _pages(found: Health, store: Store, now: datetime) -> None:
    waiting = store.scan("articles").filter(pl.col("retry_at") > now - timedelta(days=2))
    ids = waiting.select("article_id").unique().collect()["article_id"].to_list()
    found.pages_waiting = sum(1 for a in store.rows("articles", ids).values() if a.retry_at is not None)


def _deliveries(found: Health, config: Config, store: Store, now: datetime, since: datetime) -> None:
    wanted = (pl.col("at") >= now - timedelta(days=14)) | pl.col("state").is_in(("failed", "sending"))
    keys = store.scan("deliveries").filter(wanted).select("delivery_key").unique().collect()["delivery_key"].to_list()
    rows: dict[int, Delivery] = store.rows("deliveries", keys)
    names = {c.name for c in config.channels if c.enabled}
    last = [row for row in rows.values() if row.channel in names]
    found.deliveries_day = dict(Counter(row.state for row in last if row.at >= since))
    found.queued = sum(1 for row in last if row.state in ("failed", "sending"))
    found.dead = sum(1 for row in last if row.state == "dead")
    if found.dead:
        channels = ", ".join(sorted({row.channel for row in last if row.state == "dead"}))
        found.troubles.append(f"{found.dead} alerts were given up ({channels}); see `deal-monitor alerts --dead`")


def _count(store: Store, table: str, column: str, since: datetime) -> int:
    frame = store.scan(table).filter(pl.col(column) >= since).select(pl.len()).collect()
    return int(frame.item())


def _by(store: Store, table: str, column: str, wanted: pl.Expr) -> dict[str, int]:
    frame = store.scan(table).filter(wanted & pl.col(column).is_not_null()).group_by(column).len().collect()
    return {str(value): int(count) for value, count in frame.iter_rows()}
