"""Diff of 500 candidate claims and commit of 50 new and 20 changed events: the store against SQLite and DuckDB.

    uv run --no-sync --with duckdb python tests/benchmarks/bench_store.py --sizes 10000 1000000 10000000

Everybody does the same work, durably: find the known events of 500 candidates by their lookup keys, build the records,
decide, write 70 versions. 450 candidates meet a known event (drawn evenly from all), 50 are new. The store is laid out
as its own compaction would leave it in the worst case: bases of a third each of the one before, and a tail of loose
segments. Shown is the median of the warm rounds with the processor time in it (the figure to compare on a busy
machine), the first round of fresh objects, rounds with the files dropped from memory beforehand, and the size on disk.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import os
import platform
import random
import secrets
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from monitor.models import Event, stable_key
from monitor.store import open_store
from monitor.store.compaction import publish
from monitor.store.log import note_of
from monitor.store.segments import base_part
from monitor.store.tables import KEY_HASH, POSITION, ROW_BITS, TABLES, json_reader, stored_columns

EVENTS = TABLES["events"]
NOW = datetime(2026, 11, 22, tzinfo=UTC)
READ = json_reader(EVENTS, Event.__slots__)
GOLDEN = 0x9E3779B97F4A7C15  # spreads numbers over the keys' whole range, reversibly
MASK = 2**64 - 1


def lookup_of(number: int) -> int:
    return (number * GOLDEN + 1) & MASK


def event(number: int, version: int = 1) -> Event:
    return Event(
        event_id=f"{number:016}", version=version, parties=("Meta", f"Company {number}"), deal_type="partnership",
        status="rumour" if version == 1 else "announced", changed_at=NOW, watched=("Meta",), change="new",
        origins=("The Information",), outlets=("Example Wire",), value="$10 billion",
        evidence=f"Meta is in talks with Company {number} about a partnership on models and data centres.",
        title=f"Meta in talks with Company {number}", url=f"https://example.org/news/{number}", outlet="Example Wire",
        urls=(f"https://example.org/news/{number}",), claim_keys=(number,), claim_count=1, first_seen=NOW,
        last_claim=NOW, lookup=(lookup_of(number), lookup_of(number) ^ 1),
    )  # fmt: skip


def frame(first: int, count: int, position: int) -> pl.LazyFrame:
    """Events `first` to `first + count` as the store would keep them, made by Polars (quicker than in Python)."""
    number = pl.col("n")
    text = number.cast(pl.String)
    lookup = number.cast(pl.UInt64) * pl.lit(GOLDEN, dtype=pl.UInt64) + pl.lit(1, dtype=pl.UInt64)
    one = event(0)
    columns: dict[str, pl.Expr] = {
        name: pl.lit(pl.Series([list(value) if isinstance(value, tuple) else value], dtype=dtype)).first()
        if (value := getattr(one, name, None)) is not None
        else pl.lit(None, dtype=dtype)
        for name, dtype in stored_columns(EVENTS).items()
    }
    columns |= {
        "event_id": text.str.zfill(16),
        "parties": pl.concat_list(pl.lit("Meta"), "Company " + text),
        "evidence": "Meta is in talks with Company " + text + " about a partnership on models and data centres.",
        "title": "Meta in talks with Company " + text,
        "url": "https://example.org/news/" + text,
        "urls": pl.concat_list("https://example.org/news/" + text),
        "claim_keys": pl.concat_list(number.cast(pl.UInt64)),
        "lookup": pl.concat_list(lookup, lookup ^ pl.lit(1, dtype=pl.UInt64)),
        POSITION: (number - first + position).cast(pl.Int64),
        KEY_HASH: pl.col("key"),
    }
    numbers = pl.int_range(first, first + count, eager=True)
    keys = pl.Series([stable_key(f"{n:016}") for n in range(first, first + count)], dtype=pl.UInt64)
    rows = pl.LazyFrame({"n": numbers, "key": keys})
    return rows.select(expression.alias(name) for name, expression in columns.items())


def build_store(root: Path, size: int) -> None:
    if (root / "events").exists():
        return
    log = open_store(str(root)).log("events")
    start, left, segment = 0, size, 0
    while left:
        count = left - left // 3 if left > 9000 else left
        part = base_part(segment, segment, 0)
        publish(log, part, frame(start, count, segment << ROW_BITS), note_of(EVENTS, count, None, oldest=None))
        start, left, segment = start + count, left - count, segment + 1
    store = open_store(str(root))
    for commit in range(32):
        store.append("events", [event(size + commit * 70 + row) for row in range(70)])


def build_sqlite(path: Path, size: int) -> None:
    if path.exists():
        return
    base = sqlite3.connect(path)
    base.execute("pragma journal_mode=wal")
    base.execute("pragma synchronous=off")
    base.execute("create table events (key integer primary key, version integer, body text)")
    base.execute("create table lookups (lookup integer, key integer, primary key (lookup, key)) without rowid")
    for first in range(0, size, 500_000):
        piece = frame(first, min(500_000, size - first), 0).collect().sort(KEY_HASH)
        bodies = piece.select(pl.struct(Event.__slots__).struct.json_encode()).to_series()
        keys = piece[KEY_HASH].reinterpret(signed=True)
        base.executemany("insert into events values (?, 1, ?)", zip(keys, bodies, strict=True))
        pairs = pl.DataFrame({"l": piece["lookup"], "k": keys}).explode("l", empty_as_null=False).with_columns(
            pl.col("l").reinterpret(signed=True)).sort("l")  # fmt: skip
        base.executemany("insert into lookups values (?, ?)", pairs.iter_rows())
        base.commit()
    base.execute("pragma synchronous=full")
    base.close()


def build_duckdb(path: Path, size: int) -> None:
    if path.exists():
        return
    import duckdb

    base = duckdb.connect(str(path))
    base.execute("create table events (key ubigint primary key, version integer, body varchar)")
    base.execute("create table lookups (lookup ubigint, key ubigint)")
    for first in range(0, size, 500_000):
        piece = frame(first, min(500_000, size - first), 0).collect()
        spill = path.with_suffix(".parquet")
        piece.select(
            pl.col(KEY_HASH), pl.lit(1).alias("version"),
            pl.struct(Event.__slots__).struct.json_encode().alias("body"), "lookup",
        ).write_parquet(spill)  # fmt: skip
        base.execute(f"insert into events select {KEY_HASH}, version, body from '{spill}'")
        base.execute(f"insert into lookups select unnest(lookup), {KEY_HASH} from '{spill}'")
        spill.unlink()
    base.execute("create index by_lookup on lookups (lookup)")
    base.close()


def decide(known: list[Event], fresh: int) -> list[Event]:
    """50 new events, and 20 of those that were found in a newer version: the same for everybody."""
    changed = [dataclasses.replace(item, version=item.version + 1, status="announced") for item in known[:20]]
    return changed + [event(fresh + number) for number in range(50)]


def store_round(root: Path) -> Callable[[list[int], int], int]:
    store = open_store(str(root))

    def one(lookups: list[int], fresh: int) -> int:
        wanted = [*lookups, *(lookup_of(fresh + number) for number in range(50))]
        found: list[Event] = []

        def choose(view: Any) -> list[Event]:
            found[:] = view.find(wanted)
            return decide(found, fresh)

        store.commit("events", choose)
        return len(found)

    return one


def sqlite_round(path: Path) -> Callable[[list[int], int], int]:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("pragma synchronous=full")
    signed = lambda value: value - 2**64 if value >= 2**63 else value  # noqa: E731

    def one(lookups: list[int], fresh: int) -> int:
        wanted = [signed(value) for value in [*lookups, *(lookup_of(fresh + number) for number in range(50))]]
        base.execute("begin immediate")
        marks = ",".join("?" * len(wanted))
        rows = base.execute(
            f"select body from events where key in (select key from lookups where lookup in ({marks}))", wanted
        ).fetchall()
        known = [READ(body.encode()) for (body,) in rows]
        for item in decide(known, fresh):
            key = signed(stable_key(item.event_id))
            base.execute("insert or replace into events values (?, ?, ?)", (key, item.version, body_of(item)))
            base.executemany("insert or ignore into lookups values (?, ?)", [(signed(v), key) for v in item.lookup])
        base.execute("commit")
        return len(known)

    return one


def duckdb_round(path: Path) -> Callable[[list[int], int], int]:
    import duckdb

    base = duckdb.connect(str(path))

    def one(lookups: list[int], fresh: int) -> int:
        wanted = [*lookups, *(lookup_of(fresh + number) for number in range(50))]
        base.execute("begin")
        rows = base.execute(
            "select body from events where key in (select key from lookups where lookup in "
            f"({','.join(map(str, wanted))}))"
        ).fetchall()
        known = [READ(body.encode()) for (body,) in rows]
        written = decide(known, fresh)
        keys = [stable_key(item.event_id) for item in written]
        base.executemany(
            "insert or replace into events values (?, ?, ?)",
            [(key, item.version, body_of(item)) for key, item in zip(keys, written, strict=True)],
        )
        pairs = [(value, key) for key, item in zip(keys, written, strict=True) for value in item.lookup]
        base.executemany("insert into lookups values (?, ?)", pairs)
        base.execute("commit")
        return len(known)

    return one


def body_of(item: Event) -> str:
    values = {name: getattr(item, name) for name in Event.__slots__}
    return json.dumps(values, default=lambda value: value.isoformat())


def measure(
    make: Callable[[], Callable[[list[int], int], int]], path: Path, size: int, rounds: int
) -> tuple[float, float, float, float]:
    """Milliseconds: first round, opening included; medians of warm rounds, of their processor time, of cold rounds."""
    rng = random.Random(size)
    cold = rounds // 2
    draws = [[lookup_of(number) for number in rng.sample(range(size), 450)] for _ in range(rounds + cold + 1)]
    gc.collect()
    times, work = [], []
    begin, busy = time.perf_counter(), time.process_time()
    one = make()
    for number, lookups in enumerate(draws):
        if number > rounds:
            evict(path)
            begin = time.perf_counter()
        found = one(lookups, 10**12 + secrets.randbelow(10**11) * 100)
        times.append((time.perf_counter() - begin) * 1000)
        work.append((time.process_time() - busy) * 1000)
        assert found == 450, (found, number)
        begin, busy = time.perf_counter(), time.process_time()
    median = statistics.median
    return times[0], median(times[1 : rounds + 1]), median(work[1 : rounds + 1]), median(times[rounds + 1 :])


def size_of(path: Path) -> float:
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--keep", type=Path, default=Path("bench-store"), help="folder for the tables, kept for reuse")
    parser.add_argument("--against", nargs="*", default=["store", "sqlite", "duckdb"])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    kinds = {
        "store": (build_store, store_round), "sqlite": (build_sqlite, sqlite_round),
        "duckdb": (build_duckdb, duckdb_round),
    }  # fmt: skip
    print(f"{platform.machine()}, Python {platform.python_version()}, Polars {pl.__version__}", end="")
    print(f", SQLite {sqlite3.sqlite_version}")
    titles = ("events", "first ms", "median ms", "of it CPU", "cold ms")
    print(" " * 8 + "".join(f"{title:>12}" for title in titles) + f"{'MB':>10}{'build s':>10}")
    for kind in options.against:
        build, make = kinds[kind]
        for size in options.sizes:
            path = options.keep / f"{kind}-{size}"
            begin = time.perf_counter()
            build(path, size)
            built = time.perf_counter() - begin
            work = options.keep / f"{kind}-{size}-work"
            shutil.rmtree(work, ignore_errors=True)
            if path.is_dir():
                shutil.copytree(path, work, copy_function=_link)
            else:
                work = path
            warm(work)
            first, median, busy, cold = measure(lambda: make(work), work, size, options.rounds)  # noqa: B023
            figures = f"{first:12.1f}{median:12.1f}{busy:12.1f}{cold:12.1f}{size_of(path):10.0f}{built:10.0f}"
            print(f"{kind:8}{size:12,}{figures}", flush=True)


def warm(path: Path) -> None:
    """Read every file once, so that what fits into memory is there: a poll every quarter of an hour keeps it so."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                while opened.read(1 << 24):
                    pass


def evict(path: Path) -> None:
    """Drop the files from the system's memory, as a day's other work on the machine does."""
    files = list(path.rglob("*")) if path.is_dir() else list(path.parent.glob(path.name + "*"))
    for file in files:
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


if __name__ == "__main__":
    main()
