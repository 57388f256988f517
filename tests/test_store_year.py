"""A year of polls with the nightly upkeep: disk and the time of a poll stay flat once retention has begun to bite."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store_world import NOON, article, claim, delivery, entry, event, event_id, feed, files

from monitor.store import TABLES, Store, open_store

KEEP = {"entries": 60, "articles": 45, "deliveries": 60}  # days
POLLS = 2  # a day
WORDS = [f"{random.Random(number).getrandbits(28):x}" for number in range(5000)]


def poll(store: Store, number: int, rng: random.Random) -> None:
    """What one poll stores: 40 feeds asked, 20 entries, 12 articles of 1.5 KB, a claim, an event or two, an alert."""
    now = NOON + timedelta(hours=24 / POLLS * number)
    fresh = [entry(number * 20 + item, now, published=now) for item in range(20)]
    assert not store.seen("entries", [item.entry_key for item in fresh])
    store.append("entries", fresh)
    store.append("feeds", [feed(item, now, failures=number) for item in range(40)])
    texts = [" ".join(rng.choices(WORDS, k=180)) for _ in range(12)]
    articles = [replace(article(number * 20 + item, now), text=text) for item, text in enumerate(texts)]
    store.append("articles", articles)
    store.append("claims", [claim(number, now, evidence=" ".join(rng.choices(WORDS, k=30)))])

    def decide(view: Any) -> list[Any]:
        old = view.rows([event_id(max(0, number - 5))])
        changed = [event(max(0, number - 5), item.version + 1, changed_at=now) for item in old.values()]
        return [*changed, event(number, changed_at=now)]

    store.commit("events", decide)
    store.append("deliveries", [delivery(number, now)])


def maintain(store: Store, day: int) -> None:
    now = NOON + timedelta(days=day)
    for table in TABLES:
        keep = timedelta(days=KEEP[table]) if table in KEEP else None
        store.compact(table, keep=keep, now=now, grace=-1)  # the nights pass too fast for a grace time


def year(folder: Path, days: int) -> dict[int, tuple[float, float, int]]:
    """Per thirtieth day: megabytes, milliseconds of processor of the median poll of the days before, files."""
    rng = random.Random(1)
    found, times = {}, []
    for day in range(days):
        store = open_store(str(folder))  # polls are processes of their own
        for turn in range(POLLS):
            begin = time.process_time()  # not the clock: other programs share the machine
            poll(store, day * POLLS + turn, rng)
            times.append(time.process_time() - begin)
        maintain(store, day)
        if (day + 1) % 30 == 0:
            paths = [folder / table / name for table in TABLES for name in files(folder, table)]
            size = sum(path.stat().st_size for path in paths) / 1e6
            found[day + 1] = size, statistics.median(times) * 1000, len(paths)
            times = []
    return found


@pytest.mark.slow
def test_a_year_of_polls_is_flat(tmp_path: Path) -> None:
    months = year(tmp_path, 360)
    for day, (size, milliseconds, count) in months.items():
        print(f"day {day:3}: {size:6.2f} MB, {milliseconds:5.1f} ms a poll, {count} files")
    sizes = [size for day, (size, _, _) in months.items() if day >= 90]
    times = [milliseconds for day, (_, milliseconds, _) in months.items() if day >= 90]
    assert max(sizes) <= 1.5 * min(sizes)
    assert statistics.median(times[-3:]) <= 1.5 * statistics.median(times[:3])
    assert max(count for _, _, count in months.values()) < 600
    store = open_store(str(tmp_path))
    assert store.doctor() == ()
    assert store.latest("events").collect().height == 360 * POLLS
    assert store.scan("feeds").collect().height < 40 * 70
    oldest = store.scan("articles").collect()["read_at"].min()
    assert oldest >= NOON + timedelta(days=360 - 1.6 * KEEP["articles"])


def test_the_upkeep_drops_what_is_too_old(tmp_path: Path) -> None:
    """A short year, so that the default suite has a look too."""
    store = open_store(str(tmp_path))
    rng = random.Random(2)
    for number in range(30):
        poll(store, number * 20, rng)
        if number % 5 == 4:
            maintain(store, number * 5)
    assert store.scan("entries").collect().height < 30 * 20
    kept = store.scan("articles").collect()
    assert 0 < kept.height < 30 * 12
    assert kept["read_at"].min() >= NOON + timedelta(days=25 * 5 - 1.6 * KEEP["articles"])
    assert store.latest("events").collect().height == 30
    assert store.doctor() == ()
