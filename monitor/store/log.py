"""One table as a log: reading what is there, and the commit that decides each row once however many write.

Knows the protocol: read the log to its end, let the caller decide on that view, create the next segment on condition
that nobody else has, else read what they wrote and let the caller decide again. Damage that older files can make good
is made good here, with a warning; damage that loses rows is raised.
"""

from __future__ import annotations

import logging
import random
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from monitor.errors import DamagedSegment, LostRace, StoreError
from monitor.store import index as indexes
from monitor.store.places import Place
from monitor.store.segments import Part, check, cover, parse_names, polars_errors, seal, segment_name
from monitor.store.tables import Table, stored_columns, to_frame
from monitor.store.view import Tail, View

R = TypeVar("R")
TRIES: Final = 500  # lost races in a row before a commit gives up
_RELISTS: Final = 8  # a listing taken while files appear may miss one: look again before calling it lost

logger = logging.getLogger("monitor.store")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a `decide` may return in place of bare records: with a cursor that is stored with them, in the same file."""

    records: Sequence[Any]
    cursor: int | None = None  # None: stays what it was


class Log:
    """One table at one place. Safe for threads; any number of processes may have their own."""

    def __init__(self, table: Table, place: Place) -> None:
        self.table, self.place = table, place
        self._mutex = threading.RLock()
        self._names: set[str] = set()
        self._view = View(table, [], self)
        self._notes: dict[str, dict[str, Any]] = {}  # of files whose checksum was found right
        self._indexes: dict[str, indexes.Index] = {}
        self._distrusted: set[str] = set()  # damaged files that others make good
        self._rebuilt: set[str] = set()  # indexes built again; damaged once more, and the disk is at fault
        self._tail, self._tail_start = Tail(), 0

    # reading

    def view(self) -> View:
        """The table as it stands now."""
        with self._mutex:
            gaps: list[tuple[int, int]] = []
            for pause in range(_RELISTS):
                parts = {part.name: part for part in parse_names(self.place.names())}
                if parts.keys() == self._names:
                    return self._view
                chosen, gaps = cover(part for name, part in parts.items() if name not in self._distrusted)
                if not gaps:
                    self._adopt(set(parts), View(self.table, chosen, self))
                    return self._view
                time.sleep(0.001 * 2**pause)
            first, last = gaps[0]
            what = "it is missing" if first == last else f"it is missing, and all up to {segment_name(last)}"
            raise DamagedSegment(self.place.where(segment_name(first)), what)

    def _adopt(self, names: set[str], view: View) -> None:
        gone = self._names - names
        for name in gone:
            self._notes.pop(name, None)
            self._indexes.pop(name.removesuffix(".parquet") + ".index", None)
        self._names, self._view = names, view

    def read(self, question: Callable[[View], R]) -> R:
        """The answer of a view; asked again on older files where a damaged one has a stand-in."""
        while True:
            try:
                return question(self.view())
            except DamagedSegment as error:
                self.distrust(error)

    def distrust(self, error: DamagedSegment) -> None:
        """Do without a damaged file if others hold what it held; else raise the error."""
        name = error.path.rsplit("/", 1)[-1]
        if name in self._distrusted or name in self._rebuilt:
            raise error
        if not name.endswith(".index"):
            left = [part for part in parse_names(self.place.names()) if part.name not in {*self._distrusted, name}]
            chosen, gaps = cover(left)
            if gaps or not chosen or chosen[-1].last < self._view.head:
                raise error
        logger.warning("%s; going on with what is beside it", error)
        with self._mutex:
            self._distrusted.add(name)
            self._names = set()

    def intact(self, part: Part) -> tuple[Path, dict[str, Any]]:
        """Path and note of a part, after its checksum was found right (once per process). DamagedSegment if not."""
        with self._mutex:
            path = self.place.local(part.name)
            if part.name not in self._notes:
                try:
                    self._notes[part.name] = check(path)
                except DamagedSegment:
                    path = self.place.local(part.name, again=True)
                    self._notes[part.name] = self._check_named(path, part.name)
            return path, self._notes[part.name]

    def _check_named(self, path: Path, name: str) -> dict[str, Any]:
        try:
            return check(path)
        except DamagedSegment as error:
            raise DamagedSegment(self.place.where(name), error.what) from error

    def index(self, part: Part) -> indexes.Index:
        """The index of a base; built again, for this process alone, if it is missing or damaged."""
        with self._mutex:
            if part.index in self._distrusted:
                self._indexes.pop(part.index, None)
                self._distrusted.discard(part.index)
                self._indexes[part.index] = self._built(part)
            elif part.index not in self._indexes and not part.is_base:  # a segment before a base that the doctor made
                self._indexes[part.index] = self._built(part)
            elif part.index not in self._indexes:
                try:
                    self._indexes[part.index] = indexes.Index(self.table, self.place.local(part.index))
                except StoreError as error:
                    logger.warning("%s; built again from %s", error, part.name)
                    self._indexes[part.index] = self._built(part)
            return self._indexes[part.index]

    def _built(self, part: Part) -> indexes.Index:
        self._rebuilt.add(part.index)
        with tempfile.TemporaryDirectory(prefix="deal-monitor-") as folder:
            path = Path(folder) / part.index
            indexes.build(self.table, self.intact(part)[0], path)
            return indexes.Index(self.table, path)  # the open file outlives its name

    def tail(self, segments: list[Part]) -> Tail:
        """The rows of the segments, which follow the last base; kept and added to from view to view."""
        if not segments:
            return Tail()
        with self._mutex:
            known = self._tail
            if self._tail_start != segments[0].first or known.reach > segments[-1].last:
                known = Tail()
            fresh = [part for part in segments if part.last > known.reach]
            if fresh:
                known = known.plus(self.table, self._load(fresh), fresh[-1].last)
            if segments[-1].last >= self._view.head:
                self._tail, self._tail_start = known, segments[0].first
            return known

    def _load(self, parts: list[Part]) -> pl.DataFrame:
        self.place.fetch([part.name for part in parts])
        rows = View(self.table, parts, self).stored()
        with polars_errors(self.table.name):
            return rows.collect()

    # writing

    def commit(self, decide: Callable[[View], Sequence[Any] | Decision]) -> tuple[Any, ...]:
        """Store what `decide` returns for the newest view, and return it. `decide` may be called several times."""
        for attempt in range(TRIES):
            view, decision = self.read(lambda view: (view, decide(view)))
            if not isinstance(decision, Decision):
                decision = Decision(decision)
            if not decision.records and decision.cursor in (None, view.cursor):
                return ()
            try:
                self._create(view, decision)
            except LostRace:
                time.sleep(random.uniform(0, 0.002) * min(attempt, 10))
                continue
            return tuple(decision.records)
        raise StoreError(f"{self.place.where('')}: lost {TRIES} races in a row; run fewer writers at once")

    def _create(self, view: View, decision: Decision) -> None:
        """The next segment. LostRace if somebody else made it."""
        number = view.head + 1
        name = segment_name(number)
        frame = to_frame(self.table, decision.records, number)
        cursor = view.cursor if decision.cursor is None else decision.cursor
        note = note_of(self.table, frame.height, cursor, oldest=oldest_of(self.table, frame))
        self.place.create(name, seal(frame, note))
        with self._mutex:
            self._notes[name] = note
            if self._view is view:
                part = Part(number, number, -1, name)
                self._names, self._view = self._names | {name}, View(self.table, [*view.parts, part], self)
            start = view.segments[0].first if view.segments else number
            known = self._tail if view.segments else Tail()
            if not view.segments or (self._tail_start == start and known.reach == number - 1):
                self._tail, self._tail_start = known.plus(self.table, frame, number), start


def note_of(table: Table, rows: int, cursor: int | None, *, oldest: str | None, **more: Any) -> dict[str, Any]:
    """The note in a segment's seal: JSON, read back by `intact`."""
    return {
        "table": table.name,
        "lot": secrets.token_hex(8),  # tells two writers' equal rows apart
        "rows": rows,
        "cursor": cursor,
        "oldest": oldest,
        "columns": list(stored_columns(table)),
        **more,
    }


def oldest_of(table: Table, frame: pl.DataFrame) -> str | None:
    """The earliest time in the table's time column, as text."""
    value = frame[table.when].min() if frame.height else None
    return value.isoformat() if value is not None else None  # type: ignore[union-attr]
