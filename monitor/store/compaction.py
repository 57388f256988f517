"""Many segments into one base, rows dropped that are too old to keep, and files deleted that nothing needs any more.

All of it can run beside readers and writers, and several times at once: a base changes no row, supersedes by its name,
and what it supersedes stays for a grace time. The newest parts are merged while an older one holds no more than twice
the rows that they do, so bases shrink at least by half from one to the next: a handful at any time, and the work of
merging grows with the logarithm of the rows. A commit that compacts on its way merges little, so that nobody waits for
minutes; the big merges are for the nightly upkeep.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from monitor.errors import DamagedSegment, StoreError
from monitor.store import index as indexes
from monitor.store.log import Log, logger, note_of
from monitor.store.segments import Part, base_part, parse_names, polars_errors, seal_file, superseded
from monitor.store.tables import POSITION, Table, hash_column, stored_columns
from monitor.store.view import View

SEGMENTS: Final = 64  # so many loose segments, and a commit compacts by itself
INLINE: Final = 50_000  # rows that a commit merges at most on its way, loose segments aside: some seconds
GRACE: Final = 3600.0  # seconds for which superseded files stay, for those who still read them
_SLACK: Final = 0.25  # of the time that rows are kept: a base is not rewritten for less


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What one compaction did."""

    merged: int = 0  # files that became one
    rows: int = 0  # in the new base
    dropped: int = 0  # rows of no further use
    deleted: int = 0  # files that nothing needs any more


def compact(
    log: Log,
    *,
    keep: timedelta | None = None,
    now: datetime | None = None,
    everything: bool = False,
    grace: float = GRACE,
) -> Compaction:
    """Merge what is worth merging (or everything), drop rows older than `keep` before `now`, delete the needless."""
    if keep is not None and now is None:
        raise StoreError(f"{log.table.name}: rows are dropped by their age; give `now` with `keep`")
    cutoff = now - keep if keep is not None and now is not None else None
    done = log.read(lambda view: _merge_chosen(log, view, cutoff, keep, everything))
    return Compaction(merged=done.merged, rows=done.rows, dropped=done.dropped, deleted=sweep(log, grace=grace))


def compact_if_due(log: Log) -> None:
    """After a commit: compact when there are many loose segments. A failure is logged; the commit stands."""
    loose = len(log.view().segments)
    if loose >= SEGMENTS and loose % (SEGMENTS // 4) == 0:
        try:
            log.read(lambda view: _merge_end(log, view))
            sweep(log)
        except StoreError as error:
            logger.warning("%s: not compacted: %s", log.table.name, error)


def _merge_end(log: Log, view: View) -> Compaction:
    parts = _light_end(log, view, INLINE)
    return merge(log, parts) if len(parts) > 1 else Compaction()


def _merge_chosen(
    log: Log, view: View, cutoff: datetime | None, keep: timedelta | None, everything: bool
) -> Compaction:
    stale = []
    if cutoff is not None and keep is not None:
        stale = _stale(log, view, cutoff if everything else cutoff - keep * _SLACK)
    parts = max(stale, view.parts if everything else _light_end(log, view), key=len)
    if not stale and len(parts) < 2 and not (everything and any(not part.is_base for part in parts)):
        return Compaction()  # one file with nothing to drop: no reason to write it again
    return merge(log, parts, cutoff=cutoff)


def _stale(log: Log, view: View, before: datetime) -> list[Part]:
    """The parts from the first base on that holds rows from before then."""
    for at, part in enumerate(view.parts):
        oldest = log.intact(part)[1]["oldest"]
        if part.is_base and oldest is not None and datetime.fromisoformat(oldest) < before:
            return view.parts[at:]
    return []


def _light_end(log: Log, view: View, most: int = sys.maxsize) -> list[Part]:
    """The newest parts, back to the first base that holds more than twice the rows of all after it, or than `most`."""
    total, start = 0, len(view.parts)
    for part in reversed(view.parts):
        rows = log.intact(part)[1]["rows"]
        if part.is_base and start < len(view.parts) and rows > min(2 * total, most):
            break
        total, start = total + rows, start - 1
    return view.parts[start:]


def merge(log: Log, parts: list[Part], *, cutoff: datetime | None = None) -> Compaction:
    """One base in place of consecutive parts."""
    table = log.table
    notes = [log.intact(part)[1] for part in parts]
    if strange := {name for note in notes for name in note["columns"]} - stored_columns(table).keys():
        raise StoreError(
            f"{table.name}: columns of a newer version ({', '.join(sorted(strange))}); compact with that version"
        )
    rows = _kept(table, View(table, parts, log).stored(), cutoff)
    ageing = pl.col(table.when) if table.dated is None else pl.col(table.when).filter(pl.col(table.dated).is_not_null())
    with polars_errors(table.name):
        count, oldest = rows.select(pl.len(), ageing.min()).collect().row(0)
    note = note_of(table, count, notes[-1]["cursor"], oldest=oldest.isoformat() if oldest else None)
    generation = max(part.generation for part in parts) + 1
    publish(log, base_part(parts[0].first, parts[-1].last, generation), rows, note)
    return Compaction(merged=len(parts), rows=count, dropped=sum(note["rows"] for note in notes) - count)


def publish(log: Log, part: Part, rows: pl.LazyFrame, note: dict[str, object]) -> None:
    """A new base with its index. The index comes first: a base that can be seen has one."""
    base = log.place.scratch()
    index = log.place.scratch()
    try:
        seal_file(rows, note, base)
        indexes.build(log.table, base, index)
        log.place.create(part.index, index)
        log.place.create(part.name, base)
    finally:
        for scratch in (base, index):
            with suppress(OSError):  # `sweep` takes what stays
                scratch.unlink()


def _kept(table: Table, rows: pl.LazyFrame, cutoff: datetime | None) -> pl.LazyFrame:
    key = hash_column(table)
    if table.newest_only:
        rows = rows.unique(key, keep="last", maintain_order=True)
    if cutoff is None:
        return rows
    newest = pl.col(POSITION) == pl.col(POSITION).max().over(key)
    ageless = pl.col(table.when).is_null()  # not yet done: stays until a newer row of its key says more
    kept = (pl.col(table.when) >= cutoff) | ((ageless & newest) if table.forgets else newest)
    return rows.filter(kept if table.dated is None else kept | pl.col(table.dated).is_null())


def sweep(log: Log, *, grace: float = GRACE, now: float | None = None) -> int:
    """Delete what a base older than `grace` seconds supersedes, and what crashes left. Returns how many files went.

    A superseded file goes only after the base that replaces it was read and found intact.
    """
    ages = log.place.ages(time.time() if now is None else now)
    parts = parse_names(ages)
    needless = superseded(parts)
    keepers = [part for part in parts if part not in needless and part.is_base]
    gone = [name for part in needless if _replaced(log, part, keepers, ages, grace) for name in (part.name, part.index)]
    stems = {part.index for part in parts}
    gone += [
        name
        for name, age in ages.items()
        if age > grace and (name.startswith(".tmp-") or (name.endswith(".index") and name not in stems))
    ]
    doomed = [name for name in gone if name in ages]
    for name in doomed:
        log.place.delete(name)
    return len(doomed)


def _replaced(log: Log, part: Part, keepers: list[Part], ages: dict[str, float], grace: float) -> bool:
    for keeper in keepers:
        if part.superseded_by(keeper) and ages[keeper.name] > grace:
            try:
                log.intact(keeper)
            except DamagedSegment:
                continue
            return True
    return False
