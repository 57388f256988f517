"""Compaction, retention and sweeping: fewer files, the same rows, and nothing gone that is still needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store_world import NOON, delivery, entry, event, event_id, feed, files

from monitor.errors import DamagedSegment, StoreError
from monitor.store import Store, compaction, open_store
from monitor.store.segments import Part, cover, superseded


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "state"))


def filled(store: Store, table: str, make: Any, count: int) -> list[Any]:
    records = [make(number) for number in range(count)]
    store.append(table, records)
    return records


# compaction and retention


def test_commits_compact_by_themselves_and_few_bases_remain(store: Store) -> None:
    for number in range(200):
        store.append("deliveries", [delivery(number)])
    parts = store.view("deliveries").parts
    assert len(parts) <= compaction.SEGMENTS + 10
    assert sum(part.is_base for part in parts) <= 6
    assert store.seen("deliveries", [delivery(number).delivery_key for number in range(210)]) == {
        delivery(number).delivery_key for number in range(200)
    }


def test_a_commit_never_waits_for_a_big_merge(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "INLINE", 50)
    store.append("deliveries", [delivery(number) for number in range(100)])
    store.compact("deliveries", everything=True)
    for number in range(100, 100 + compaction.SEGMENTS):
        store.append("deliveries", [delivery(number)])
    assert [part.last for part in store.view("deliveries").parts] == [0, compaction.SEGMENTS]  # the big one stays
    store.compact("deliveries")
    assert [part.last for part in store.view("deliveries").parts] == [compaction.SEGMENTS]


def test_a_failing_compaction_does_not_fail_the_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(compaction, "merge", fail)
    for number in range(compaction.SEGMENTS + 1):
        store.append("deliveries", [delivery(number)])
    assert store.scan("deliveries").collect().height == compaction.SEGMENTS + 1


def test_superseded_files_stay_for_a_grace_time(store: Store) -> None:
    filled(store, "events", event, 5)
    store.append("events", [event(9)])
    frame = store.scan("events")
    store.compact("events", everything=True)
    assert sum(name.startswith("seg-") for name in files(Path(store.url))) == 2
    assert frame.collect().height == 6
    assert store.compact("events", everything=True, grace=-1).deleted == 2
    assert [name[:4] for name in files(Path(store.url))] == ["base", "base"]
    assert store.scan("events").collect().height == 6


def test_a_reader_that_listed_before_the_sweep_looks_again(store: Store) -> None:
    filled(store, "events", event, 5)
    store.append("events", [event(9)])
    reader = open_store(store.url)
    view = reader.view("events")
    store.compact("events", everything=True, grace=-1)
    with pytest.raises(DamagedSegment, match="cannot be read"):
        view.scan()  # a view is one moment, and the moment is gone
    asked: list[int] = []

    def question(now: Any) -> int:
        asked.append(1)
        return int((view if len(asked) == 1 else now).scan().collect().height)

    assert reader.log("events").read(question) == 6


def test_the_sweep_keeps_what_a_damaged_base_would_replace(store: Store) -> None:
    filled(store, "events", event, 5)
    store.append("events", [event(9)])
    store.compact("events", everything=True)
    (base,) = [name for name in files(Path(store.url)) if name.endswith(".parquet") and name.startswith("base")]
    path = Path(store.url) / "events" / base
    data = bytearray(path.read_bytes())
    data[100] ^= 4
    path.write_bytes(data)
    reader = open_store(store.url)
    assert compaction.sweep(reader.log("events"), grace=-1) == 0
    assert reader.scan("events").collect().height == 6


def test_retention_drops_the_old_and_never_the_newest_of_an_event(store: Store) -> None:
    days = [NOON + timedelta(days=day) for day in range(10)]
    for day in days:
        dated = [replace(entry(day.day * 100 + number, day), published=day) for number in range(3)]
        store.append("entries", [*dated, entry(day.day * 100 + 50, day)])
        store.append("events", [event(1, day.day, changed_at=day)])
    store.append("events", [event(5, changed_at=days[0])])
    for table in ("entries", "events"):
        store.compact(table, everything=True)
        done = store.compact(table, keep=timedelta(days=4), now=days[-1], grace=-1)
        assert done.dropped == (15 if table == "entries" else 5)
    assert store.scan("entries").filter(pl.col("published").is_not_null()).collect()["first_seen"].min() == days[5]
    assert len(store.seen("entries", [entry(day.day * 100 + 50).entry_key for day in days])) == 10, "undated: for good"
    assert store.rows("events", [event_id(1)])[event_id(1)].version == days[-1].day
    assert store.seen("events", [event_id(5)]) == {event_id(5)}
    assert not store.seen("entries", [entry(days[0].day * 100).entry_key])
    again = store.compact("entries", keep=timedelta(days=4), now=days[-1])
    assert again.merged == 0  # nothing worth rewriting


def test_feeds_keep_their_newest_state_only(store: Store) -> None:
    for hour in range(5):
        store.append("feeds", [feed(number, NOON + timedelta(hours=hour), failures=hour) for number in range(4)])
    store.compact("feeds", everything=True)
    assert store.scan("feeds").collect()["failures"].to_list() == [4, 4, 4, 4]


# what counts


def part(first: int, last: int, generation: int = -1) -> Part:
    return Part(first, last, generation, f"{first}-{last}-{generation}")


@pytest.mark.parametrize(
    ("parts", "chosen", "gaps", "needless"),
    [
        ([], [], [], []),
        ([part(0, 0), part(1, 1)], [part(0, 0), part(1, 1)], [], []),
        ([part(0, 0), part(2, 2)], [part(0, 0), part(2, 2)], [(1, 1)], []),
        ([part(3, 3)], [part(3, 3)], [(0, 2)], []),
        ([part(0, 0), part(1, 1), part(0, 1, 0), part(2, 2)], [part(0, 1, 0), part(2, 2)], [],
         [part(0, 0), part(1, 1)]),
        ([part(0, 0), part(0, 0, 0)], [part(0, 0, 0)], [], [part(0, 0)]),
        ([part(0, 3, 1), part(0, 3, 2)], [part(0, 3, 2)], [], [part(0, 3, 1)]),
        ([part(0, 4, 0), part(2, 8, 0), part(3, 3), part(9, 9)], [part(0, 4, 0), part(2, 8, 0), part(9, 9)], [],
         [part(3, 3)]),
        ([part(0, 9, 0), part(2, 5, 7)], [part(0, 9, 0)], [], [part(2, 5, 7)]),
        ([part(0, 1, 0), part(0, 3, 0), part(2, 3, 0), part(4, 4)], [part(0, 3, 0), part(4, 4)], [],
         [part(0, 1, 0), part(2, 3, 0)]),
    ],
)  # fmt: skip
def test_what_covers_and_what_is_needless(
    parts: list[Part], chosen: list[Part], gaps: list[tuple[int, int]], needless: list[Part]
) -> None:
    assert cover(parts) == (chosen, gaps)
    assert sorted(superseded(parts)) == sorted(needless)
    assert cover([part for part in parts if part not in needless])[1] == gaps


def test_rival_bases_that_overlap_give_each_row_once(store: Store) -> None:
    for number in range(10):
        store.append("events", [event(number)])
    log = store.log("events")
    parts = log.view().parts
    compaction.merge(log, parts[:6])
    compaction.merge(log, parts[3:9])
    compaction.sweep(log, grace=-1)
    reader = open_store(store.url)
    assert [part.is_base for part in reader.view("events").parts] == [True, True, False]
    assert reader.scan("events").collect()["event_id"].to_list() == [event_id(number) for number in range(10)]
    assert len(reader.find("events", range(10))) == 10
    assert reader.after("events", (4 << 20))[0] == tuple(event(number) for number in range(5, 10))
    store.compact("events", everything=True)
    assert store.scan("events").collect()["event_id"].to_list() == [event_id(number) for number in range(10)]
