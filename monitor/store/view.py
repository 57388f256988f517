"""One table as it stood at one moment: what is known under which key. Reading only.

Old rows are in bases, looked up through their index files; the newest rows (at most a hundred or so segments) are held
in memory. Knows nothing of how rows come to be written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

import polars as pl

from monitor.store.index import Index, Place
from monitor.store.segments import Part, polars_errors
from monitor.store.tables import (
    POSITION,
    ROW_BITS,
    Table,
    columns,
    fill,
    hash_column,
    hash_of,
    stored_columns,
    to_records,
)  # fmt: skip

Key = TypeVar("Key", int, str)


@dataclass(frozen=True, slots=True)
class Tail:
    """The rows of the segments that no base holds yet, by key and by lookup."""

    reach: int = -1  # number of the last segment taken in
    rows: tuple[pl.DataFrame, ...] = ()
    keys: dict[int, tuple[int, int]] | None = None  # hash -> frame, row: the newest
    lookups: dict[int, set[int]] | None = None  # lookup -> hashes

    def plus(self, table: Table, frame: pl.DataFrame, reach: int) -> Tail:
        """A tail with one more frame. This one stays as it is, for the views that use it."""
        keys = dict(self.keys or {})
        hashes = frame[hash_column(table)].to_list()
        keys.update((key, (len(self.rows), row)) for row, key in enumerate(hashes))
        lookups = self.lookups or {}
        if table.lookup is not None:
            lookups = dict(lookups)
            for key, values in zip(hashes, frame[table.lookup].to_list(), strict=True):
                for value in values or ():
                    lookups[value] = lookups.get(value, set()) | {key}
        return Tail(reach, (*self.rows, frame), keys, lookups)


class Source(Protocol):
    """What a view reads from (`monitor.store.log.Log`)."""

    def index(self, part: Part) -> Index:
        """The index of a base."""

    def intact(self, part: Part) -> tuple[Path, dict[str, Any]]:
        """Path and note of a part whose checksum was found right."""

    def tail(self, segments: list[Part]) -> Tail:
        """The rows of the segments that no base holds."""


class View:
    """A table at the moment of `head`. Methods that read a file raise DamagedSegment if it is not what was written."""

    def __init__(self, table: Table, parts: list[Part], source: Source) -> None:
        self.table, self.parts, self._source = table, parts, source
        bases = len(parts)
        while bases and not parts[bases - 1].is_base:
            bases -= 1
        self._bases, self.segments = parts[:bases], parts[bases:]

    @property
    def head(self) -> int:
        """Number of the newest segment; -1 for an empty table."""
        return self.parts[-1].last if self.parts else -1

    @property
    def cursor(self) -> int | None:
        """What the newest commit that gave a cursor gave (`Decision`); None if none did."""
        cursor: int | None = self._source.intact(self.parts[-1])[1]["cursor"] if self.parts else None
        return cursor

    @cached_property
    def tail(self) -> Tail:
        """The newest rows, in memory."""
        return self._source.tail(self.segments)

    @cached_property
    def _indexes(self) -> list[tuple[Part, Index, bool]]:
        """Newest first, with whether to sift: the oldest base is much the biggest, and most keys are there."""
        return [(part, self._source.index(part), at > 0) for at, part in enumerate(self._bases)][::-1]

    def seen(self, keys: Iterable[Key]) -> set[Key]:
        """Those of the keys that the table holds, given as hashes or, for a textual key, as text."""
        missing = {hash_of(key): key for key in keys}
        found = self._take(missing, self.tail.keys or {})
        for _, index, sift in self._indexes:
            if not missing:
                break
            found |= self._take(missing, index.locate(missing, sift=sift))
        return found

    @staticmethod
    def _take(missing: dict[int, Key], known: dict[int, Any]) -> set[Key]:
        hits = missing.keys() & known.keys()
        return {missing.pop(hit) for hit in hits}

    def rows(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """The newest record of each key that the table holds, in the order of the keys."""
        keys = list(keys)
        missing = {hash_of(key): key for key in keys}
        found = self._tail_rows(missing)
        for part, index, sift in self._indexes:
            if not missing:
                break
            here = self._read(part, index, index.locate(missing, sift=sift))
            found |= {missing.pop(key): record for key, record in here}
        return {key: found[key] for key in keys if key in found}

    def _read(self, part: Part, index: Index, places: dict[int, Place]) -> Iterator[tuple[int, Any]]:
        return index.rows(places) if self.table.indexed_rows else self._rows_at(part, places)

    def _tail_rows(self, missing: dict[int, Key]) -> dict[Key, Any]:
        known = self.tail.keys or {}
        wanted: dict[int, list[tuple[int, int]]] = {}
        for hit in missing.keys() & known.keys():
            frame, row = known[hit]
            wanted.setdefault(frame, []).append((row, hit))
        found: dict[Key, Any] = {}
        for frame, rows in wanted.items():
            records = to_records(self.table, self.tail.rows[frame][[row for row, _ in rows]])
            found |= {missing.pop(hit): record for (_, hit), record in zip(rows, records, strict=True)}
        return found

    def _rows_at(self, part: Part, places: dict[int, Place]) -> Iterator[tuple[int, Any]]:
        positions = sorted(value for value, _, _ in places.values())
        if not positions:
            return
        with polars_errors(part.name):
            wanted = pl.col(POSITION).is_between(positions[0], positions[-1]) & pl.col(POSITION).is_in(positions)
            frame = self._scan([part], stored_columns(self.table)).filter(wanted).collect()
        yield from zip(frame[hash_column(self.table)].to_list(), to_records(self.table, frame), strict=True)

    def find(self, lookups: Iterable[int]) -> tuple[Any, ...]:
        """The newest record of each key of which any version carries one of the lookups, ordered by key."""
        wanted = set(lookups)
        met: dict[int, tuple[int, Place]] = {}  # key -> which base, from the newest; where its row is there
        for age, (_, index, sift) in enumerate(self._indexes):
            for key, place in index.find(wanted, sift=sift).items():
                met.setdefault(key, (age, place))
        known, carried = self.tail.keys or {}, self.tail.lookups or {}
        newest = (met.keys() & known.keys()).union(*(carried[lookup] for lookup in wanted & carried.keys()))
        found = self._tail_rows({key: key for key in newest})
        for key in newest:
            met.pop(key, None)
        for age, (part, index, _) in enumerate(self._indexes):
            elsewhere = [key for key, (older, _) in met.items() if older > age]
            met |= {key: (age, place) for key, place in index.locate(elsewhere).items()}  # a version without the lookup
            found |= self._read(part, index, {key: place for key, (here, place) in met.items() if here == age})
        return tuple(found[key] for key in sorted(found))

    def scan(self) -> pl.LazyFrame:
        """All rows in storage order: the record's columns, then `position`."""
        return self._scan(self.parts, [*columns(self.table), POSITION])

    def stored(self) -> pl.LazyFrame:
        """All rows with all columns of the files, the hash of a textual key included."""
        return self._scan(self.parts, stored_columns(self.table))

    def latest(self) -> pl.LazyFrame:
        """The newest row of each key, in storage order, with `scan`'s columns."""
        key = hash_column(self.table)
        with polars_errors(self.table.name):  # two narrow columns tell which rows were replaced: the wide ones wait
            replaced = self._scan(self.parts, [key, POSITION]).filter(~pl.col(key).is_last_distinct()).collect()
        rows = self.scan()
        return rows.filter(~pl.col(POSITION).is_in(replaced[POSITION].implode())) if replaced.height else rows

    def after(self, position: int, limit: int | None = None) -> tuple[tuple[Any, ...], int]:
        """Records stored after a position (-1: from the start), oldest first, and the position to go on from."""
        fresh = [part for part in self.parts if (part.last + 1) << ROW_BITS > position + 1]
        if not fresh:
            return (), position
        newer = pl.col(POSITION) > position
        with polars_errors(self.table.name):
            if fresh[0] not in self.segments:
                rows = self._scan(fresh, stored_columns(self.table)).filter(newer)
                frame = (rows if limit is None else rows.head(limit)).collect()
            else:
                frame = pl.concat([rows.filter(newer) for rows in self.tail.rows]).head(limit or sys.maxsize)
        if not frame.height:
            return (), position
        return tuple(to_records(self.table, frame)), frame[POSITION][-1]

    def _scan(self, parts: list[Part], wanted: Iterable[str]) -> pl.LazyFrame:
        schema = stored_columns(self.table)
        if not parts:
            return pl.LazyFrame(schema=schema).select(list(wanted))
        missing: set[str] = set()
        runs: list[tuple[int, list[Path]]] = []  # position to start from, files
        reach = -1
        for part in parts:
            path, note = self._source.intact(part)
            missing |= schema.keys() - set(note["columns"])
            if part.first <= reach:  # rival bases overlap: each row once
                runs.append(((reach + 1) << ROW_BITS, [path]))
            elif runs and runs[-1][0] == 0:
                runs[-1][1].append(path)
            else:
                runs.append((0, [path]))
            reach = part.last
        frame = pl.concat(_scan_files(schema, start, paths) for start, paths in runs)
        return fill(self.table, frame, missing).select(list(wanted))


def _scan_files(schema: dict[str, pl.DataType], start: int, paths: list[Path]) -> pl.LazyFrame:
    frame = pl.scan_parquet(paths, schema=schema, missing_columns="insert", extra_columns="ignore", glob=False)
    return frame.filter(pl.col(POSITION) >= start) if start else frame
