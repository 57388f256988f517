"""The deals as they stand, in memory: made once per state of the table, asked many times. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

import polars as pl

from monitor.models import Event
from monitor.store import Store

T = TypeVar("T")
KEPT = 200  # results that take long to make
HEAVY = ("prints", "lookup", "claim_keys", "urls", "feeds")  # columns that no list of deals shows
WORDS = "words"  # of every version and article of the deal, in lower case: what a search looks through


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All living deals at one moment."""

    head: int  # of the events' log: another head is another moment
    deals: pl.DataFrame  # the newest version of each, newest change first, and `words`
    history: (
        pl.DataFrame
    )  # every version of each, oldest first: event_id, version, changed_at, change, status, baseline
    buried: dict[str, str]  # deals that were merged into another one, and which
    memo: dict[str, Any] = field(default_factory=dict, compare=False)  # what was made of it and takes long to make

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` makes, made once per snapshot; two threads may both make it, to the same end."""
        if name not in self.memo:
            if len(self.memo) > KEPT:
                self.memo.clear()
            self.memo[name] = make()
        found: T = self.memo[name]
        return found

    def records(self, store: Store, rows: pl.DataFrame) -> tuple[Event, ...]:
        """Rows of `deals` as records; the columns that are left out read as empty."""
        found: tuple[Event, ...] = store.load("events", rows)
        return found


class Snapshots:
    """The newest snapshot, made again when somebody has written. Safe to ask from several threads."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, Lock()
        self._newest: Snapshot | None = None

    def newest(self) -> Snapshot:
        with self._lock:
            head = self._store.view("events").head
            if self._newest is None or self._newest.head != head:
                self._newest = take(self._store, head)
            return self._newest


def take(store: Store, head: int = -1) -> Snapshot:
    """Read the table."""
    latest = store.latest("events").drop(*HEAVY).collect()
    living = latest.filter(pl.col("merged_into") == "")
    graves = latest.filter(pl.col("merged_into") != "")
    versions = store.scan("events")
    told = _told(latest, store.scan("claims"))
    words = versions.select("event_id", text=_text()).collect()
    words = pl.concat([words, told]).group_by("event_id").agg(pl.col("text").unique().str.join("\n").alias(WORDS))
    history = versions.select("event_id", "version", "changed_at", "change", "status", "baseline").collect()
    return Snapshot(
        head=head,
        deals=living.drop("folded")
        .join(words, on="event_id", how="left")
        .sort("changed_at", "last_claim", "event_id", descending=[True, True, False], nulls_last=True),
        history=history.join(living.select("event_id"), on="event_id", how="semi").sort("changed_at", "version"),
        buried=dict(zip(graves["event_id"].to_list(), graves["merged_into"].to_list(), strict=True)),
    )


def _told(latest: pl.DataFrame, claims: pl.LazyFrame) -> pl.DataFrame:
    """What each article on a deal said: its headline, sentence and outlet."""
    owners = latest.select("event_id", claim_key="folded").explode("claim_key", empty_as_null=True).drop_nulls()
    said = claims.select(
        "claim_key", text=pl.concat_str("title", "evidence", "outlet", separator=" ").str.to_lowercase()
    )
    return owners.join(said.collect(), on="claim_key").select("event_id", "text")


def _text() -> pl.Expr:
    """What a reader may remember of a deal: names, headline, sentence, outlet, value, id."""
    parts = [
        pl.col("parties").list.join(" "), "title", "evidence", "outlet", "value", pl.col("origins").list.join(" "),
        pl.col("deal_type").str.replace_all("_", " "), "event_id",
    ]  # fmt: skip
    return pl.concat_str(parts, separator=" ").str.to_lowercase()
