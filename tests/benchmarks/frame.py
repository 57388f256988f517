"""How a comparison is run: contestants in processes of their own, taking turns, each judged by the median of its runs.

A contestant is a function `module:name` of one argument, a dict of plain values. It does its setting up, takes the time
of the work itself, and returns a dict with `seconds` and what else it counted. Nothing here knows what is compared.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 900  # seconds that one run of a contestant may take, setting up included
OURS = "deal-monitor"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One way to do the work."""

    name: str
    function: str  # module:name below tests.benchmarks
    given: dict[str, Any] = field(default_factory=dict)
    runs: int | None = None  # None: as many as the rest


@dataclass(kw_only=True)
class Line:
    """A line of the row's table."""

    work: str
    name: str
    value: float
    unit: str
    against: float | None = None  # how many times our figure: above 1 is behind us
    more: str = ""


@dataclass(kw_only=True)
class Goal:
    """What the row is to reach, and whether it did."""

    what: str
    got: str
    met: bool


@dataclass(kw_only=True)
class Chart:
    """How a figure grows: one value per name and place on the x axis."""

    title: str
    x: list[str]
    series: dict[str, list[float | None]]


@dataclass(kw_only=True)
class Result:
    """A row as measured."""

    title: str
    lines: list[Line] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    machine: str = ""
    when: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        kinds: dict[str, Callable[..., Any]] = {"lines": Line, "goals": Goal, "charts": Chart}
        return cls(**{
            key: [kinds[key](**item) for item in value] if key in kinds else value for key, value in data.items()
        })  # fmt: skip


@dataclass(kw_only=True)
class Bench:
    """What a row is given: how large, how often, and where to put its files."""

    folder: Path  # removed afterwards
    keep: Path  # what takes minutes to build stays here
    quick: bool = False
    runs: int = 5

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def duel(self, contestants: Sequence[Contestant], runs: int | None = None) -> dict[str, dict[str, float]]:
        """The medians of every figure of each, by name. The contestants take turns, so that a slow minute of the
        machine is everybody's; each run starts with another one."""
        rounds = runs or self.runs
        figures: dict[str, list[dict[str, Any]]] = {c.name: [] for c in contestants}
        for number in range(rounds):
            shift = number % len(contestants)
            for one in (*contestants[shift:], *contestants[:shift]):
                if number < (one.runs or rounds):
                    figures[one.name].append(run(one))
                    say(f"    {one.name}: {_brief(figures[one.name][-1])}")
        return {name: _medians(rows) for name, rows in figures.items()}


def _brief(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value:.4g}" for key, value in figures.items() if isinstance(value, int | float))


def _medians(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        key: statistics.median(row[key] for row in rows)
        for key, value in rows[0].items()
        if isinstance(value, int | float)
    }


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def run(one: Contestant) -> dict[str, Any]:
    """One run in a process of its own, with the most memory that it and its children held at once (`peak_mb`)."""
    command = [sys.executable, "-m", "tests.benchmarks.child", one.function, json.dumps(one.given)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    with _watching(process.pid) as peak:
        timer = threading.Timer(LONGEST, process.kill)
        timer.start()
        try:
            out = process.stdout.read()
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
    if code:
        raise RuntimeError(f"{one.name} ({one.function}) ended with {code}:\n{out[-2000:]}")
    figures: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return {**figures, "peak_mb": max(peak) / 1e6}


@contextmanager
def _watching(pid: int) -> Iterator[list[int]]:
    """Resident bytes of the process and all below it, looked at twenty times a second: the largest sum."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], sum(map(_resident, _tree(pid))))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _tree(pid: int) -> list[int]:
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    except OSError:
        pass  # it has ended meanwhile
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Wall and processor seconds of the block; the latter of this process and the children that ended within it."""
    figures: dict[str, float] = {}
    wall, cpu = time.perf_counter(), _processor()
    yield figures
    figures["seconds"] = time.perf_counter() - wall
    figures["cpu"] = _processor() - cpu


def _processor() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def machine() -> str:
    """What it was measured on, and how busy that was."""
    model = ""
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else ""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {model or 'processor unknown'}, {cores} cores, {platform.system()}, "
        f"Python {platform.python_version()}; load before the row {load:.1f}"
    )


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M")


def ratio(other: Mapping[str, float], ours: Mapping[str, float], key: str = "seconds") -> float:
    """How many times our figure the other one's is."""
    return other[key] / ours[key] if ours[key] else float("inf")
