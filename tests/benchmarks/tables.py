"""Diff of 500 candidate claims and commit of 50 new and 20 changed events among ten million: against SQLite and DuckDB.

What is done and how the tables are laid out is in `bench_store`, which also looks at first, cold and processor times.
"""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

from tests.benchmarks import bench_store as store
from tests.benchmarks.frame import OURS, Bench, Chart, Contestant, Goal, Line, Result

SIZES = (10_000, 1_000_000, 10_000_000)
KINDS = {OURS: "store", "SQLite": "sqlite", "DuckDB": "duckdb"}
BUILD = {"store": store.build_store, "sqlite": store.build_sqlite, "duckdb": store.build_duckdb}
OPEN = {"store": store.store_round, "sqlite": store.sqlite_round, "duckdb": store.duckdb_round}


def rounds(given: dict[str, Any]) -> dict[str, float]:
    """Medians of the rounds, the files in memory: a poll every quarter of an hour keeps them there."""
    path = Path(given["path"])
    work = path
    if path.is_dir():  # segments are never changed: links will do, and the tables stay as they were built
        work = Path(given["work"])
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(path, work, copy_function=store._link)
    store.warm(work)
    first, median, busy, cold = store.measure(lambda: OPEN[given["kind"]](work), work, given["size"], given["rounds"])
    if work != path:
        shutil.rmtree(work)
    return {"seconds": median / 1000, "cpu": busy / 1000, "first": first / 1000, "cold": cold / 1000}


def commits(bench: Bench) -> Result:
    """All three at all sizes."""
    sizes = SIZES if not bench.quick else (1_000, 10_000)
    keep = bench.keep / "tables"
    keep.mkdir(parents=True, exist_ok=True)
    times: dict[str, list[float | None]] = {name: [] for name in KINDS}
    lines: list[Line] = []
    for size in sizes:
        for kind in KINDS.values():
            BUILD[kind](keep / f"{kind}-{size}", size)
        medians = bench.duel([
            Contestant(name=name, function="tables:rounds", given={
                "kind": kind, "size": size, "path": str(keep / f"{kind}-{size}"), "work": str(keep / "work"),
                "rounds": bench.size(15, 3)})
            for name, kind in KINDS.items()
        ], runs=min(bench.runs, 3))  # fmt: skip
        for name, figures in medians.items():
            times[name].append(figures["seconds"] * 1000)
            more = f"processor {figures['cpu'] * 1000:.1f}, files not in memory {figures['cold'] * 1000:.1f}"
            lines.append(Line(work=f"{size:,} events", name=name, value=figures["seconds"] * 1000, unit="ms",
                              against=figures["seconds"] / medians[OURS]["seconds"], more=more))  # fmt: skip
    return _judged(lines, times, [f"{size:,}" for size in sizes])


def _judged(lines: list[Line], times: dict[str, list[float | None]], places: list[str]) -> Result:
    mine = [value or 0.0 for value in times[OURS]]
    growth, sqlite = max(mine) / mine[0], times["SQLite"][-1] or 0.0
    goals = [
        Goal(what=f"flat within 1.5 times from {places[0]} to {places[-1]}", got=f"{growth:.2f} times",
             met=growth <= 1.5),
        Goal(what=f"at most SQLite's time at {places[-1]}", got=f"{mine[-1] / sqlite:.2f} of it",
             met=mine[-1] <= sqlite),
    ]  # fmt: skip
    middle = statistics.median(mine)
    return Result(
        title="diff of 500 claims, commit of 50 new and 20 changed events", lines=lines, goals=goals,
        charts=[Chart(title="Milliseconds by number of known events", x=places, series=times)],
        notes=[f"durable: everybody waits for the disk; the median of ours is {middle:.1f} ms"],
    )  # fmt: skip
