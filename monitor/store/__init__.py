"""The tables on disk or object storage: what the monitor knows, and the one door to it.

    store = open_store("state")                       # a folder, or s3://bucket/prefix
    store.append("entries", entries)                  # rows, come what may
    store.commit("events", decide)                    # rows that `decide` picks after a look at what is known, once
    store.seen("entries", keys)                       # which of these are known
    store.rows("events", keys)                        # their newest records
    store.find("events", lookups)                     # newest records by secondary key
    store.after("claims", position)                   # what was stored since
    store.latest("events")                            # a LazyFrame for questions of any kind

Knows tables as wholes; how they are kept is in the modules beneath: `tables` (columns), `segments` (names and seals),
`places` and `bucket` (folder, object storage), `log` (commit), `view` (reading), `index`, `compaction`, `repair`,
`doctor`, `copying`, `lock`. Every failure is a StoreError; DamagedSegment names the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from monitor.store.compaction import GRACE, Compaction, compact, compact_if_due
from monitor.store.copying import copy
from monitor.store.doctor import Finding, examine
from monitor.store.lock import locked
from monitor.store.log import Decision, Log
from monitor.store.places import place_at
from monitor.store.segments import polars_errors
from monitor.store.tables import TABLES, Table, columns, hash_of, table_of, to_records
from monitor.store.view import Key, View

__all__ = [
    "TABLES", "Compaction", "Decision", "Finding", "Store", "Table", "View", "columns", "hash_of", "open_store",
]  # fmt: skip


def open_store(url: str) -> Store:
    """The store at a folder or object-storage URL. Costs nothing; a store that does not exist yet is an empty one."""
    return Store(url)


class Store:
    """All tables of one state. Table names are those of `TABLES`; keys are hashes, or the text of a textual key."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._logs: dict[str, Log] = {}

    def log(self, table: str) -> Log:
        """The log behind a table."""
        if table not in self._logs:
            self._logs[table] = Log(table_of(table), place_at(self.url, table))
        return self._logs[table]

    # writing

    def append(self, table: str, records: Sequence[Any]) -> None:
        """Store the records. After a StoreError they may or may not be stored: ask, or use `commit`, which asks."""
        self.commit(table, lambda _: records)

    def commit(self, table: str, decide: Callable[[View], Sequence[Any] | Decision]) -> tuple[Any, ...]:
        """Store what `decide` returns after a look at the table, and return it.

        Compare-and-swap: if another writer was faster, `decide` is called again with a view that has their rows. It
        must not have effects of its own. A `Decision` also stores a cursor in the same file (`cursor`).
        """
        log = self.log(table)
        stored = log.commit(decide)
        if stored:
            compact_if_due(log)
        return stored

    # reading

    def view(self, table: str) -> View:
        """The table as it stands now, for several questions about one moment."""
        return self.log(table).view()

    def seen(self, table: str, keys: Iterable[Key]) -> set[Key]:
        """Those of the keys that the table holds, as they were given."""
        keys = list(keys)
        return self.log(table).read(lambda view: view.seen(keys))

    def rows(self, table: str, keys: Iterable[Key]) -> dict[Key, Any]:
        """The newest record of each of the keys that the table holds, in the order of the keys."""
        keys = list(keys)
        return self.log(table).read(lambda view: view.rows(keys))

    def find(self, table: str, lookups: Iterable[int]) -> tuple[Any, ...]:
        """The newest records of the keys that ever carried one of the lookups (`events`), ordered by key."""
        lookups = list(lookups)
        return self.log(table).read(lambda view: view.find(lookups))

    def after(self, table: str, position: int, limit: int | None = None) -> tuple[tuple[Any, ...], int]:
        """Records stored after a position (-1: all), oldest first, and the position to give next time."""
        return self.log(table).read(lambda view: view.after(position, limit))

    def cursor(self, table: str) -> int | None:
        """The cursor stored by the newest commit that gave one (`Decision`)."""
        return self.log(table).read(lambda view: view.cursor)

    def scan(self, table: str) -> pl.LazyFrame:
        """All rows, every version, in storage order: the record's columns, then `position`.

        Every file was checked before this returns. The files stay for an hour at least, also if compaction runs.
        """
        return self.log(table).read(lambda view: view.scan())

    def latest(self, table: str) -> pl.LazyFrame:
        """As `scan`, the newest row of each key only."""
        return self.log(table).read(lambda view: view.latest())

    def load(self, table: str, frame: pl.LazyFrame | pl.DataFrame) -> tuple[Any, ...]:
        """Rows of `scan` or `latest`, filtered or sorted as you like, as records."""
        with polars_errors(table):
            rows = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
        return tuple(to_records(table_of(table), rows))

    # upkeep

    def lock(self) -> AbstractContextManager[None]:
        """One run at a time; LockHeld if another holds it. The tables are safe without."""
        return locked(self.url)

    def compact(
        self,
        table: str,
        *,
        keep: timedelta | None = None,
        now: datetime | None = None,
        everything: bool = False,
        grace: float = GRACE,
    ) -> Compaction:
        """Merge segments, drop rows older than `keep` before `now`, delete files that nothing needs any more.

        `keep` never drops the newest version of a feed or an event. Commits compact by themselves, without dropping.
        """
        return compact(self.log(table), keep=keep, now=now, everything=everything, grace=grace)

    def doctor(self, *, mend: bool = True) -> tuple[Finding, ...]:
        """Examine every file of every table and mend what can be (or just tell). Empty if all is well."""
        return tuple(finding for table in TABLES for finding in examine(self.log(table), mend=mend))

    def copy_to(self, url: str) -> int:
        """Copy all tables to another folder or URL, which must hold none; returns how many files went over."""
        target = open_store(url)
        return sum(copy(self.log(table), target.log(table)) for table in TABLES)

    def tables(self) -> Iterator[str]:
        """Names of the tables."""
        return iter(TABLES)
