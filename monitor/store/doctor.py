"""Every file of a table examined; what can be made good is, and what cannot is said.

In this order: one flipped bit is found and flipped back; what other files hold too is left to them; a base is written
anew from its index (newest rows). Where none of these helps, an empty base takes the place of the damaged file, so that
the numbering has no hole, and the finding says what was lost. Damaged files are moved to the table's folder `damaged`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from monitor.errors import DamagedSegment, StoreError
from monitor.store import index as indexes
from monitor.store.compaction import publish
from monitor.store.log import Log, note_of, oldest_of
from monitor.store.repair import repair
from monitor.store.segments import (
    Part,
    base_part,
    check,
    check_bytes,
    cover,
    parse_names,
    polars_errors,
    read_seal,
    segment_name,
    superseded,
)  # fmt: skip
from monitor.store.tables import ROW_BITS, frame_of, stored_columns

_BIGGEST: Final = 64 << 20  # bytes; looking for a flipped bit takes a third of a second per megabyte

_REMEDY: Final = {
    "feeds": "feeds are asked anew at the next poll, as if for the first time",
    "entries": "entries that the feeds still list come back with the next poll",
    "articles": "articles are fetched again where their entry is known",
    "claims": "read the stored articles again with `deal-monitor replay`",
    "events": "fold the stored claims again with `deal-monitor replay`; alerts already sent may come once more",
    "deliveries": "alerts of that time may be sent once more",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found wrong."""

    table: str
    path: str
    what: str
    done: str  # what was made of it; "" if nothing was to be changed
    lost: bool = False  # rows are gone for good


def examine(log: Log, *, mend: bool = True) -> Iterator[Finding]:
    """Read every file of the table and mend what is wrong (or just tell). Best run while nothing else does."""
    parts = sorted(parse_names(log.place.names()))
    damaged: dict[Part, DamagedSegment] = {}
    for part in parts:
        try:
            check(log.place.local(part.name, again=True))
        except (DamagedSegment, StoreError) as error:
            damaged[part] = DamagedSegment(log.place.where(part.name), getattr(error, "what", str(error)))
    for part, fault in damaged.items():
        healthy = [other for other in parse_names(log.place.names()) if other not in damaged]
        yield _finding(log, fault, _mend_part(log, part, healthy) if mend else ("", False))
    healthy = [part for part in parse_names(log.place.names()) if part not in damaged]
    for first, last in cover(healthy)[1]:
        fault = DamagedSegment(log.place.where(segment_name(first)), f"segments {first} to {last} are missing")
        yield _finding(log, fault, _fill(log, first, last, -1, None) if mend else ("", True))
    for part in parts:
        if part.is_base and part not in damaged:
            yield from _examine_index(log, part, mend)


def _finding(log: Log, error: DamagedSegment, outcome: tuple[str, bool]) -> Finding:
    return Finding(table=log.table.name, path=error.path, what=error.what, done=outcome[0], lost=outcome[1])


def _mend_part(log: Log, part: Part, healthy: list[Part]) -> tuple[str, bool]:
    """What was done about a damaged file, and whether rows were lost."""
    if part in superseded([*healthy, part]):  # mended, it would bring back rows that were dropped
        log.place.put_aside(part.name)
        return "taken out of service; a newer file holds its rows", False
    data = _bytes(log, part)
    fixed = repair(data) if len(data) <= _BIGGEST else None
    if fixed is not None:
        _publish_bytes(log, part, fixed)
        log.place.put_aside(part.name)
        return "one flipped bit was flipped back", False
    if not any(first <= part.last and part.first <= last for first, last in _holes(healthy, part)):
        log.place.put_aside(part.name)
        return "taken out of service; other files hold its rows", False
    outcome = _from_index(log, part) if part.is_base and log.table.indexed_rows else None
    if outcome is None:
        outcome = _fill(log, part.first, part.last, part.generation, _rows_in(data))
    log.place.put_aside(part.name)
    return outcome


def _holes(healthy: list[Part], part: Part) -> list[tuple[int, int]]:
    beyond = Part(part.last + 1, part.last + 1, -1, "")  # so that a hole at the end shows as one
    return cover([*healthy, beyond])[1]


def _bytes(log: Log, part: Part) -> bytes:
    try:
        return log.place.local(part.name).read_bytes()
    except (OSError, StoreError):
        return b""


def _rows_in(data: bytes) -> int | None:
    """How many rows a damaged file says it holds."""
    try:
        note = read_seal(io.BytesIO(data), Path("damaged")).note
        rows: int = json.JSONDecoder().raw_decode(note)[0]["rows"]
    except (DamagedSegment, ValueError, KeyError):
        return None
    return rows


def _publish_bytes(log: Log, part: Part, data: bytes) -> None:
    """A base in place of a damaged part, from its mended bytes."""
    scratch = log.place.scratch()
    try:
        with polars_errors(part.name):
            scratch.write_bytes(data)
            note = check_bytes(data, scratch)
            target = base_part(part.first, part.last, part.generation + 1)
            publish(log, target, pl.scan_parquet(scratch, glob=False), note)
    finally:
        with suppress(OSError):
            scratch.unlink()


def _from_index(log: Log, part: Part) -> tuple[str, bool] | None:
    """The newest rows of a damaged base, out of its index; None if that is damaged too."""
    try:
        index = indexes.Index(log.table, log.place.local(part.index))
        places = dict(sorted(index.every(), key=lambda item: item[1]))  # rows lie in storage order
        records = [record for _, record in index.rows(places)]
    except (DamagedSegment, StoreError):
        return None
    frame = frame_of(log.table, records, part.first << ROW_BITS)
    note = note_of(log.table, frame.height, _cursor_before(log, part.first), oldest=oldest_of(log.table, frame))
    publish(log, base_part(part.first, part.last, part.generation + 1), frame.lazy(), note)
    return f"the newest version of each of {frame.height} rows was restored from the index; older versions, if any, " \
        "are lost", False  # fmt: skip


def _fill(log: Log, first: int, last: int, generation: int, rows: int | None) -> tuple[str, bool]:
    """An empty base where rows are lost."""
    empty = pl.LazyFrame(schema=stored_columns(log.table))
    note = note_of(log.table, 0, _cursor_before(log, first), oldest=None)
    publish(log, base_part(first, last, generation + 1), empty, note)
    how_many = "its rows" if rows is None else f"{rows} rows"
    return f"cannot be mended: {how_many} are lost; {_REMEDY[log.table.name]}", True


def _cursor_before(log: Log, first: int) -> int | None:
    """The cursor as it was before a segment: what came after it is to be done again."""
    for part in sorted(parse_names(log.place.names()), key=lambda item: item.last, reverse=True):
        if part.last < first:
            try:
                cursor: int | None = check(log.place.local(part.name))["cursor"]
            except StoreError:
                continue
            return cursor
    return None


def _examine_index(log: Log, part: Part, mend: bool) -> Iterator[Finding]:
    path = log.place.where(part.index)
    try:
        _read_whole(log, indexes.Index(log.table, log.place.local(part.index, again=True)))
    except StoreError as error:
        done = ""
        if mend:
            log.place.put_aside(part.index)
            scratch = log.place.scratch()
            indexes.build(log.table, log.place.local(part.name), scratch)
            log.place.create(part.index, scratch)
            done = "built again from its base"
        yield Finding(table=log.table.name, path=path, what=getattr(error, "what", str(error)), done=done)


def _read_whole(log: Log, index: indexes.Index) -> None:
    places: dict[int, indexes.Place] = dict(index.every())
    if log.table.indexed_rows:
        for _ in index.rows(places):
            pass
