"""How long commands take to answer, from the shell's point of view."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import bench_store as store
from tests.benchmarks.frame import ROOT, Bench, Contestant, Goal, Line, Result


def command(given: dict[str, Any]) -> dict[str, float]:
    """One call, the interpreter's start included."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "monitor.cli", *given["words"]], capture_output=True, text=True,
                          env=environment, timeout=60)  # fmt: skip
    seconds = time.perf_counter() - begin
    assert done.returncode == 0 and len(done.stdout.splitlines()) >= given["lines"], done.stderr[-500:]
    return {"seconds": seconds}


def answer(bench: Bench) -> Result:
    """`--help`, and `events` on a table of many."""
    count = bench.size(100_000, 1000)
    folder = bench.folder / "deals"
    folder.mkdir()
    store.build_store(folder / "state", count)
    for name, text in (("monitor.toml", ""), ("feeds.toml", ""), ("watchlist.toml", '[[companies]]\nname = "Meta"\n')):
        Path(folder / name).write_text(text, encoding="utf-8")
    cases = {
        "deal-monitor --help": (["--help"], 20, 0.3),
        f"deal-monitor events, {count:,} events": (["--config", str(folder), "events"], 50, 1.0),
    }
    medians = bench.duel([
        Contestant(name=name, function="commands:command", given={"words": words, "lines": least})
        for name, (words, least, _) in cases.items()
    ])  # fmt: skip
    lines = [
        Line(work=name, name="", value=figures["seconds"], unit="s") for name, figures in medians.items()
    ]  # fmt: skip
    goals = [
        Goal(what=f"{name}: {bound:g} s", got=f"{medians[name]['seconds']:.2f} s",
             met=medians[name]["seconds"] <= bound)
        for name, (_, _, bound) in cases.items()
    ]  # fmt: skip
    return Result(title="commands", lines=lines, goals=goals)
