"""What is done by night: rumours that nobody confirmed expire, rows past their time go, tables are compacted.

Age alone is no reason to drop a row or to let a rumour expire: a clock that jumped by years would empty the tables, and
all would be told again when it is right. So the monitor must have been at work on some days since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from monitor.events import expire
from monitor.models import Event
from monitor.pipeline.run import Run
from monitor.pipeline.settings import fold_settings
from monitor.store import TABLES, View

DAYS = 3  # with rows, since the limit: so many days long no clock is wrong


@dataclass(slots=True, kw_only=True)
class Upkeep:
    """What was done."""

    expired: int = 0
    dropped: int = 0
    tables: int = 0

    def headline(self) -> str:
        return f"{self.expired} rumours expired, {self.dropped} old rows dropped, {self.tables} tables compacted"


def maintain(run: Run) -> Upkeep:
    """Expire, drop, compact. Safe to run at any time and again."""
    done = Upkeep()
    with run.report.timed("expire"):
        made = _expire(run)
        run.report.events += made
        done.expired = len(made)
    keep = run.config.retention
    days = {"entries": keep.entries_days, "articles": keep.articles_days, "deliveries": keep.deliveries_days}
    with run.report.timed("compact"):
        for table in run.store.tables():
            limit = timedelta(days=days[table]) if days.get(table) else None
            if limit is not None and not _at_work(run, table, run.now - limit):
                limit = None
            # what has no limit grows for ever: there, merging everything each night would grow with it
            whole = limit is not None
            done.dropped += run.store.compact(table, keep=limit, now=run.now, everything=whole).dropped
            done.tables += 1
    return done


def _at_work(run: Run, table: str, since: datetime) -> bool:
    """Whether the table has rows of several days since then."""
    when = pl.col(TABLES[table].when)
    days = run.store.scan(table).filter(when >= since).select(when.dt.date().n_unique()).collect()
    return int(days.item()) >= DAYS


def _expire(run: Run) -> tuple[Event, ...]:
    settings = fold_settings(run.config)
    since = run.now - timedelta(days=settings.rumour_expires_days)
    if not _at_work(run, "entries", since):
        return ()

    def decide(view: View) -> list[Event]:
        old = view.latest().filter((pl.col("status") == "rumour") & (pl.col("last_claim") <= since)).collect()
        known = run.store.load("events", old)
        return expire(known, run.now, settings)

    return run.store.commit("events", decide)
