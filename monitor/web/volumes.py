"""How much happened when: changes to deals by day, week or month, as stacked bars ready to be drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

import polars as pl

# what a bar is made of, from the ground up: key, words
SERIES = (
    ("rumour", "new rumours"),
    ("deal", "new deals"),
    ("firm", "confirmed, completed, revived"),
    ("ended", "denied, called off, expired"),
    ("more", "updates, second origins"),
)
_KIND = {
    "confirmed": "firm", "completed": "firm", "revived": "firm", "denied": "ended", "terminated": "ended",
    "expired": "ended", "corroborated": "more", "updated": "more",
}  # fmt: skip
WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM = 1060.0, 240.0, 44.0, 12.0, 28.0
MOST = 60  # bars; more make longer periods


@dataclass(frozen=True, slots=True)
class Block:
    """One colour of one bar."""

    kind: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One period."""

    start: date
    label: str
    x: float
    width: float
    blocks: tuple[Block, ...]
    counts: dict[str, int]
    marked: bool  # its label is written under the chart

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Volumes:
    """The chart."""

    period: str  # day, week, month
    bars: tuple[Bar, ...] = ()
    grid: tuple[tuple[int, float], ...] = ()  # count, height on the picture

    @property
    def totals(self) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for bar in self.bars:
            sums.update(bar.counts)
        return {key: sums[key] for key, _ in SERIES}


def volumes(history: pl.DataFrame, zone: tzinfo) -> Volumes:
    """The changes among these versions of deals, by the reader's days. What was only recorded counts too."""
    rows = history.filter(pl.col("change").is_not_null()).select(
        pl.col("changed_at").dt.convert_time_zone(str(zone)).dt.date().alias("day"), "change", "status"
    )
    if not rows.height:
        return Volumes("day")
    days = rows["day"]
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    period = next((p for p, length in (("day", 1), ("week", 7)) if (last - first).days / length < MOST), "month")
    counts: dict[date, Counter[str]] = {}
    for day, change, status, count in rows.group_by("day", "change", "status").len().iter_rows():
        kind = _KIND.get(change) or ("rumour" if status == "rumour" else "deal")
        counts.setdefault(_start(day, period), Counter())[kind] += count
    starts = _periods(_start(first, period), last, period)
    return _drawn(period, starts, counts)


def _start(day: date, period: str) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _periods(start: date, last: date, period: str) -> list[date]:
    found = []
    while start <= last:
        found.append(start)
        start = _start(start + timedelta(days=32 if period == "month" else 7 if period == "week" else 1), period)
    return found


def _drawn(period: str, starts: Sequence[date], counts: dict[date, Counter[str]]) -> Volumes:
    top = _round_up(max(counter.total() for counter in counts.values()))
    room = HEIGHT - BOTTOM - 10
    step = (WIDTH - LEFT - RIGHT) / len(starts)
    width = min(step * 0.72, 56.0)
    every = -(-len(starts) // 12)
    bars = []
    for number, start in enumerate(starts):
        counter = counts.get(start, Counter())
        blocks, ground = [], HEIGHT - BOTTOM
        for key, _ in SERIES:
            if counter[key]:
                height = counter[key] / top * room
                ground -= height
                blocks.append(Block(key, counter[key], round(ground, 1), round(height, 1)))
        label = f"{start:%b %Y}" if period == "month" else f"{start:%-d %b}"
        x = LEFT + step * number + (step - width) / 2
        bars.append(Bar(start, label, round(x, 1), round(width, 1), tuple(blocks), dict(counter), number % every == 0))
    lines = [top * part // 4 for part in range(5)] if top >= 4 else list(range(top + 1))
    grid = tuple((count, round(HEIGHT - BOTTOM - count / top * room, 1)) for count in lines)
    return Volumes(period, tuple(bars), grid)


def _round_up(number: int) -> int:
    """A good height for the scale: 4, 8, 12, 20, 40, 80, 100, ..."""
    scale = 1
    while True:
        for step in (1, 2, 3, 4, 8, 12, 20, 40, 60, 80):
            if number <= step * scale:
                return step * scale
        scale *= 100
