"""The tables: which record fills which, under which key, and how records become rows of Polars and back.

Knows the columns, their types and their defaults, all derived from the record classes. Knows nothing of files.

Types: `str` and `Literal` are String, `bool` Boolean, `float` Float64, `datetime` microseconds in UTC, tuples are
lists. An `int` is Int64, but UInt64 where it is a hash (`*_key`, `*_hash`, and every tuple of ints).
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import polars as pl

from monitor.errors import StoreError
from monitor.models import Article, Claim, Delivery, Entry, Event, FeedState, stable_key

POSITION: Final = "position"  # where a row stands in storage order: segment number << 20 | row within the segment
KEY_HASH: Final = "key_hash"  # stable_key of a textual key; tables whose key is a hash already have no such column
ROW_BITS: Final = 20  # so a commit holds at most a million rows
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the store must know of one table."""

    name: str
    record: type[Any]
    key: str  # field that names a thing; several rows of one key are its versions
    lookup: str | None = None  # field with the hashes under which `find` finds it
    when: str  # time field by which rows grow old
    newest_only: bool = False  # compaction drops versions that a newer one replaced
    forgets: bool = True  # whether retention may drop the newest version of a key too
    dated: str | None = None  # field without which a row is kept for good: nothing else will tell that it is old
    indexed_rows: bool = True  # the index carries whole rows (else just keys: rows with long texts)


TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in (
        Table(name="feeds", record=FeedState, key="feed_key", when="polled_at", newest_only=True, forgets=False),
        Table(name="entries", record=Entry, key="entry_key", when="first_seen", dated="published", indexed_rows=False),
        Table(name="articles", record=Article, key="article_id", when="read_at", indexed_rows=False),
        Table(name="claims", record=Claim, key="claim_key", when="read_at"),
        Table(name="events", record=Event, key="event_id", lookup="lookup", when="changed_at", forgets=False),
        Table(name="deliveries", record=Delivery, key="delivery_key", when="at"),
    )
}


def table_of(name: str) -> Table:
    """The table of that name; StoreError for a name that is none."""
    try:
        return TABLES[name]
    except KeyError:
        raise StoreError(f"{name}: no such table; there are {', '.join(TABLES)}") from None


def hash_of(key: int | str) -> int:
    """The 64-bit form of a key: itself if it is a hash, else its `stable_key`."""
    return key if isinstance(key, int) else stable_key(key)


@cache
def columns(table: Table) -> dict[str, pl.DataType]:
    """The record's columns in the order of its fields."""
    hints = typing.get_type_hints(table.record)
    return {field.name: _dtype(field.name, hints[field.name]) for field in dataclasses.fields(table.record)}


@cache
def stored_columns(table: Table) -> dict[str, pl.DataType]:
    """The columns of the table's files: the record's, the position, and the hash of a textual key."""
    found = columns(table)
    extra: dict[str, pl.DataType] = {POSITION: pl.Int64()}
    if found[table.key] == pl.String:
        extra[KEY_HASH] = pl.UInt64()
    return found | extra


def hash_column(table: Table) -> str:
    """The stored column that holds the 64-bit key."""
    return KEY_HASH if KEY_HASH in stored_columns(table) else table.key


@cache
def defaults(table: Table) -> dict[str, Any]:
    """What a column reads as in files older than the column. Columns whose default is None are not listed."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(table.record):
        value = field.default if field.default is not dataclasses.MISSING else None
        if field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        if value is not None:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def to_frame(table: Table, records: Sequence[Any], segment: int) -> pl.DataFrame:
    """Records as the rows of one segment."""
    if len(records) >> ROW_BITS:
        raise StoreError(f"{table.name}: {len(records)} rows in one commit; commit at most a million at a time")
    if wrong := next((item for item in records if not isinstance(item, table.record)), None):
        raise StoreError(f"{table.name}: a {type(wrong).__name__} is no {table.record.__name__}; wrong table")
    try:
        return frame_of(table, records, segment << ROW_BITS)
    except UnicodeEncodeError:  # a lone surrogate from a hostile page: no UTF-8 can hold it
        return frame_of(table, [_speakable(item) for item in records], segment << ROW_BITS)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{table.name}: a record does not fit its columns: {error}; this is a bug") from error


def frame_of(table: Table, records: Sequence[Any], start: int) -> pl.DataFrame:
    """Records as rows from a position on."""
    schema = stored_columns(table)
    if not records:
        return pl.DataFrame(schema=schema)
    data: dict[str, Sequence[Any]] = {name: [getattr(item, name) for item in records] for name in columns(table)}
    data[POSITION] = range(start, start + len(records))
    if KEY_HASH in schema:
        data[KEY_HASH] = [stable_key(key) for key in data[table.key]]
    lists: dict[str, pl.Series] = {}
    for inner in (pl.String(), pl.UInt64()):
        lists |= _list_columns({name: data[name] for name in data if schema[name] == pl.List(inner)}, inner)
    return pl.DataFrame([lists[name] if name in lists else _column(name, data[name], schema[name]) for name in schema])


def _column(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    if dtype == pl.Datetime("us", "UTC"):
        ticks = [None if value is None else (value - _EPOCH) // _TICK for value in values]
        return pl.Series(name, ticks, dtype=pl.Int64).cast(dtype)
    return pl.Series(name, values, dtype=dtype)


def _list_columns(data: dict[str, Sequence[Any]], inner: pl.DataType) -> dict[str, pl.Series]:
    """Columns of tuples, all at once: made one by one they take two thirds of the time of a commit."""
    count = len(next(iter(data.values()), ()))
    flat: list[Any] = []
    owners: list[int] = []
    for owner, values in enumerate(values for column in data.values() for values in column):
        flat += values
        flat.append(None)  # closes the list, so that an empty one is there too
        owners += [owner] * (len(values) + 1)
    pairs = pl.DataFrame({"owner": pl.Series(owners, dtype=pl.UInt32), "flat": pl.Series(flat, dtype=inner)})
    lists = pairs.group_by("owner", maintain_order=True).agg("flat")
    whole = lists.select(pl.col("flat").list.head(pl.col("flat").list.len() - 1)).to_series()
    return {name: whole.slice(at * count, count).alias(name) for at, name in enumerate(data)}


def _speakable(record: Any) -> Any:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()
        return tuple(map(clean, value)) if isinstance(value, tuple) else value

    return dataclasses.replace(
        record, **{field.name: clean(getattr(record, field.name)) for field in dataclasses.fields(record)}
    )


def to_records(table: Table, frame: pl.DataFrame) -> Iterator[Any]:
    """Rows as records. Columns that the frame lacks read as their defaults; strange ones are passed over."""
    names = [name for name in columns(table) if name in frame.columns]
    for values in zip(*(_values(frame[name]) for name in names), strict=True):
        yield table.record(**dict(zip(names, values, strict=True)))


def _values(column: pl.Series) -> list[Any]:
    if isinstance(column.dtype, pl.List):
        return [tuple(value or ()) for value in column.to_list()]
    if isinstance(column.dtype, pl.Datetime):
        ticks = column.to_physical().to_list()
        return [None if tick is None else _EPOCH + timedelta(microseconds=tick) for tick in ticks]
    return column.to_list()


def json_reader(table: Table, names: Sequence[str]) -> Callable[[bytes], Any]:
    """Turns a row written by `Expr.struct.json_encode`, with fields in the order of `names`, into a record."""
    schema = columns(table)
    casts: list[tuple[int, Callable[[Any], Any]]] = [
        (at, tuple if isinstance(schema[name], pl.List) else datetime.fromisoformat)
        for at, name in enumerate(names)
        if name in schema and isinstance(schema[name], pl.List | pl.Datetime)
    ]
    strange = [name for name in names if name not in schema]  # written by a newer version
    decode = json.JSONDecoder().raw_decode

    def read(row: bytes) -> Any:
        values = list(decode(row.decode())[0].values())
        for at, cast in casts:
            if values[at] is not None:
                values[at] = cast(values[at])
        fields = dict(zip(names, values, strict=True))
        for name in strange:
            del fields[name]
        return table.record(**fields)

    return read


def fill(table: Table, frame: pl.LazyFrame, missing: Iterable[str]) -> pl.LazyFrame:
    """Nulls of columns that some file lacks, as the record's defaults."""
    known = defaults(table)
    schema = columns(table)
    holes = [name for name in missing if name in known]
    return frame.with_columns(pl.col(name).fill_null(pl.lit(known[name], dtype=schema[name])) for name in holes)


def _dtype(name: str, hint: Any) -> pl.DataType:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        (hint,) = [arg for arg in args if arg is not type(None)]
        return _dtype(name, hint)
    if origin is tuple:
        return pl.List(pl.UInt64() if args[0] is int else _dtype(name, args[0]))
    if origin is typing.Literal:
        return pl.String()
    if hint is int:
        return pl.UInt64() if name.endswith(("_key", "_hash")) else pl.Int64()
    return {str: pl.String(), bool: pl.Boolean(), float: pl.Float64(), datetime: pl.Datetime("us", "UTC")}[hint]
