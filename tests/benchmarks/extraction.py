"""Extraction of whole pages with the sandbox on, against trafilatura in a plain loop; its memory over many."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.extract import Extracted, extract_many
from monitor.sandbox import Sandbox
from tests.benchmarks.frame import OURS, Bench, Contestant, Goal, Line, Result, ratio, timed
from tests.benchmarks.material import Words, page

URL = "https://example.org/news/story.html"
DIFFERENT = 100  # pages; more would only fill the memory of the measuring process


def pages(count: int) -> list[str]:
    words = Words(13)
    made = [page(words.headline(), words.text(words.rng.randint(1800, 6000))) for _ in range(min(count, DIFFERENT))]
    return [made[number % len(made)] for number in range(count)]


def ours(given: dict[str, Any]) -> dict[str, float]:
    """Workers that can be killed, one per core, their start not counted: a run's workers start once."""
    bodies = [(text.encode(), "text/html; charset=utf-8", URL) for text in pages(given["pages"])]
    with Sandbox(workers=2) as pool:
        list(extract_many(bodies[:4], pool))
        before = _children("processor")
        with timed() as figures:
            found = list(extract_many(bodies, pool))
        figures["cpu"] += _children("processor") - before
    assert all(isinstance(item, Extracted) and len(item.text) > 1000 for item in found)
    return figures


def memory(given: dict[str, Any]) -> dict[str, float]:
    """Resident MB of the workers after the first tenth of the pages and at the end."""
    made = pages(DIFFERENT)
    sizes: list[float] = []

    def bodies() -> Iterator[tuple[bytes, str, str]]:
        for number in range(given["pages"]):
            yield made[number % DIFFERENT].encode(), "text/html; charset=utf-8", URL

    with Sandbox(workers=2) as pool, timed() as figures:
        for number, _ in enumerate(extract_many(bodies(), pool)):
            if number + 1 in (given["pages"] // 10, given["pages"] - 2):
                sizes.append(_children("memory"))
    return {**figures, "early": sizes[0], "late": sizes[-1]}


def _children(what: str) -> float:
    """MB resident in the children of this process, or seconds of processor that they took so far."""
    pids = [pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()]
    if what == "memory":
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * 4096 / 1e6
    ticks = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in pids]
    return sum(int(tick) for pair in ticks for tick in pair) / os.sysconf("SC_CLK_TCK")


def loop(given: dict[str, Any]) -> dict[str, float]:
    """What a script would do."""
    import trafilatura

    made = pages(given["pages"])
    trafilatura.extract(made[0])
    with timed() as figures:
        for markup in made:
            assert trafilatura.extract(markup, fast=given["fast"])
    return figures


def speed(bench: Bench) -> Result:
    """500 pages; then 5,000 for the memory."""
    count, many = bench.size(500, 16), bench.size(5000, 40)
    medians = bench.duel([
        Contestant(name=OURS, function="extraction:ours", given={"pages": count}),
        Contestant(name="trafilatura in a loop", function="extraction:loop", given={"pages": count, "fast": False}),
        Contestant(name="the same, fast", function="extraction:loop", given={"pages": count, "fast": True}),
    ], runs=min(bench.runs, 3))  # fmt: skip
    mine = medians[OURS]
    lines = [
        Line(work=f"{count} pages of 130 KB", name=name, value=count / figures["seconds"], unit="pages/s",
             against=ratio(figures, mine), more=f"{figures['cpu'] / count * 1000:.1f} ms of processor a page")
        for name, figures in medians.items()
    ]  # fmt: skip
    goals = [
        Goal(what=f"1.8 times as fast as {name}", got=f"{ratio(medians[name], mine):.2f} times "
             f"({2 * ratio(medians[name], mine, 'cpu'):.2f} with two cores to itself)",
             met=ratio(medians[name], mine) >= 1.8)
        for name in list(medians)[1:]
    ]  # fmt: skip
    (one,) = bench.duel([Contestant(name="memory", function="extraction:memory", given={"pages": many})], 1).values()
    grown = one["late"] / one["early"]
    got = f"{one['early']:.0f} MB after {many // 10:,}, {one['late']:.0f} MB after {many:,}"
    goals.append(Goal(what=f"memory flat over {many:,} pages", got=got, met=grown < 1.1))
    return Result(title="extraction of whole pages, two cores, sandbox on", lines=lines, goals=goals)
