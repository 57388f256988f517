"""The tables through their one door: what is stored is found again, once, whole, in order."""

from __future__ import annotations

import dataclasses
import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from store_world import BIG, NOON, article, claim, delivery, entry, event, event_id, feed, files

from monitor.errors import LockHeld, LostRace, StoreError
from monitor.models import Event, stable_key
from monitor.store import TABLES, Decision, Store, compaction, hash_of, open_store
from monitor.store.places import Folder
from monitor.store.segments import polars_errors
from monitor.store.tables import columns


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "state"))


def filled(store: Store, table: str, make: Any, count: int) -> list[Any]:
    records = [make(number) for number in range(count)]
    store.append(table, records)
    return records


# one of each


def test_an_empty_store_answers_everything_with_nothing(store: Store) -> None:
    for table in TABLES:
        assert store.seen(table, [1, 2]) == set()
        assert store.rows(table, [1]) == {}
        assert store.find(table, [1]) == ()
        assert store.after(table, -1) == ((), -1)
        assert store.cursor(table) is None
        assert store.scan(table).collect().height == 0
        assert store.latest(table).collect().columns == [*columns(TABLES[table]), "position"]
        assert store.compact(table, everything=True).merged == 0
    assert not Path(store.url).exists()  # looking makes nothing


@pytest.mark.parametrize(
    ("table", "make"),
    [("feeds", feed), ("entries", entry), ("articles", article), ("claims", claim), ("events", event),
     ("deliveries", delivery)],
)  # fmt: skip
@pytest.mark.parametrize("compacted", [False, True])
def test_each_record_comes_back_as_it_was(store: Store, table: str, make: Any, compacted: bool) -> None:
    records = filled(store, table, make, 5)
    if compacted:
        store.compact(table, everything=True)
    key = TABLES[table].key
    for reader in (store, open_store(store.url)):
        assert reader.rows(table, [getattr(item, key) for item in records]) == {
            getattr(item, key): item for item in records
        }
        assert reader.after(table, -1)[0] == tuple(records)
        assert reader.load(table, reader.latest(table)) == tuple(records)


def test_every_field_survives_with_unusual_values(store: Store) -> None:
    odd = event(
        7, parties=(), evidence='Quote " \\ \n\t \u2028 \U0001f600 nul\0', claim_keys=(0, BIG), first_seen=NOON,
        what="position", claim_count=2**62, urls=("", "https://example.org/?a=1&b=\u00fc"), lookup=(0, BIG),
    )  # fmt: skip
    store.append("events", [odd])
    assert store.rows("events", [odd.event_id]) == {odd.event_id: odd}
    store.compact("events", everything=True)
    assert store.rows("events", [odd.event_id]) == {odd.event_id: odd}
    assert store.find("events", [BIG]) == (odd,) == store.find("events", [0])


def test_a_lone_surrogate_is_stored_as_a_question_mark(store: Store) -> None:
    store.append("entries", [entry(1, title="a\ud800b")])
    assert store.rows("entries", [entry(1).entry_key])[entry(1).entry_key].title == "a?b"


def test_a_record_of_another_table_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="a Entry is no Event"):
        store.append("events", [entry(1)])
    with pytest.raises(StoreError, match="no such table"):
        store.seen("event", [1])
    with pytest.raises(StoreError, match="does not fit"):
        store.append("events", [event(1, version=2**70)])
    assert store.scan("events").collect().height == 0


# keys, versions, lookups


@pytest.mark.parametrize("compact_after", [(), (3,), (3, 6), (7,)])
def test_the_newest_version_counts_wherever_it_lies(store: Store, compact_after: tuple[int, ...]) -> None:
    for step in range(8):
        store.append("events", [event(number, version=step + 1) for number in range(step, 12)])
        if step in compact_after:
            store.compact("events")
    for reader in (store, open_store(store.url)):
        found = reader.rows("events", [event_id(number) for number in range(14)])
        assert {number: found[event_id(number)].version for number in range(12)} == {
            number: min(number, 7) + 1 for number in range(12)
        }
        assert len(found) == 12
        newest = reader.load("events", reader.latest("events"))
        assert sorted(newest, key=lambda item: item.event_id) == [found[event_id(number)] for number in range(12)]
        assert reader.scan("events").collect()["position"].is_sorted()
        assert reader.scan("events").collect().height == sum(12 - step for step in range(8))


def test_keys_may_be_given_as_text_or_hash_and_come_back_so(store: Store) -> None:
    filled(store, "events", event, 3)
    assert store.seen("events", [event_id(1), event_id(9)]) == {event_id(1)}
    assert store.seen("events", [hash_of(event_id(1)), 5]) == {stable_key(event_id(1))}
    filled(store, "entries", entry, 3)
    keys = {entry(number).entry_key for number in range(5)}
    assert store.seen("entries", keys) == {entry(number).entry_key for number in range(3)}


def test_an_event_is_found_by_lookups_of_any_version_and_given_as_it_is_now(store: Store) -> None:
    store.append("events", [event(1, lookup=(10, 11))])
    store.compact("events", everything=True)
    store.append("events", [event(1, 2, lookup=(12,)), event(2, lookup=(11,))])
    assert store.find("events", [10]) == (event(1, 2, lookup=(12,)),)
    assert {found.event_id for found in store.find("events", [11, 11])} == {event_id(1), event_id(2)}
    assert store.find("events", [13]) == ()


def test_a_version_that_dropped_the_lookup_is_found_in_a_newer_base(store: Store) -> None:
    for version, lookup in enumerate([(10,), (11,), (12,)], 1):
        store.append("events", [event(1, version, lookup=lookup), event(version + 5, lookup=(10,))])
    log = store.log("events")
    for part in log.view().parts:
        compaction.merge(log, [part])
    assert all(part.is_base for part in store.view("events").parts)
    found = open_store(store.url).find("events", [10])
    assert {item.event_id: item.version for item in found} == {event_id(1): 3, **{event_id(n): 1 for n in (6, 7, 8)}}
    assert open_store(store.url).find("events", [12]) == (event(1, 3, lookup=(12,)),)


def test_many_keys_over_many_blocks(store: Store) -> None:
    records = [event(number, lookup=(number % 10,)) for number in range(1000)]
    store.append("events", records)
    store.compact("events", everything=True)
    reader = open_store(store.url)
    assert reader.seen("events", [event_id(number) for number in range(-0, 1100)]) == {
        event_id(number) for number in range(1000)
    }
    assert len(reader.find("events", [3])) == 100  # one lookup over more than one block
    assert len(reader.find("events", range(10))) == 1000


# the log


def test_after_goes_on_where_it_stopped_through_compactions(store: Store) -> None:
    seen: list[Any] = []
    position = -1
    for step in range(7):
        store.append("claims", [claim(step * 10 + number) for number in range(3)])
        if step in (2, 5):
            store.compact("claims", everything=True)
        if step % 2:
            records, position = store.after("claims", position, limit=4 if step == 3 else None)
            seen += records
    records, position = store.after("claims", position)
    seen += records
    assert seen == [claim(step * 10 + number) for step in range(7) for number in range(3)]
    assert store.after("claims", position) == ((), position)


def test_a_cursor_is_stored_with_the_rows_and_survives(store: Store) -> None:
    store.commit("events", lambda view: Decision([event(1)], cursor=5))
    store.append("events", [event(2)])
    assert store.cursor("events") == 5
    assert store.commit("events", lambda view: Decision([], cursor=9)) == ()
    store.compact("events", everything=True)
    assert open_store(store.url).cursor("events") == 9
    count = len(files(Path(store.url)))
    store.commit("events", lambda view: Decision([], cursor=view.cursor))  # nothing new: nothing written
    assert len(files(Path(store.url))) == count


def test_a_lost_race_is_decided_again_on_what_the_other_wrote(store: Store) -> None:
    other = open_store(store.url)
    calls = []

    def decide(view: Any) -> list[Event]:
        known = view.seen([event_id(1)])
        calls.append(known)
        if len(calls) == 1:
            other.append("events", [event(1)])
        return [] if known else [event(1)]

    assert store.commit("events", decide) == ()
    assert calls == [set(), {event_id(1)}]
    assert store.scan("events").collect().height == 1


def test_a_decision_sees_one_moment(store: Store) -> None:
    """The view handed to `decide` does not move, whatever is written meanwhile."""
    store.append("events", [event(1)])
    view = store.view("events")
    store.append("events", [event(2)])
    assert view.seen([event_id(1), event_id(2)]) == {event_id(1)}
    assert view.scan().collect().height == 1
    assert store.seen("events", [event_id(1), event_id(2)]) == {event_id(1), event_id(2)}


def test_threads_of_one_store_lose_nothing(store: Store) -> None:
    def work(start: int) -> None:
        for number in range(start, start + 12):
            store.commit("events", lambda view, n=number: [] if view.seen([event_id(n)]) else [event(n)])

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 6, 12, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = store.scan("events").collect()["event_id"].to_list()
    assert sorted(ids) == sorted({event_id(number) for number in (*range(24), *range(100, 112))})


# columns over time


def test_old_files_read_as_defaults_in_every_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = dataclasses.make_dataclass(
        "Old",
        [(field.name, field.type, field) for field in dataclasses.fields(Event)
         if field.name not in ("value", "terms", "claim_count", "baseline", "published")],
        frozen=True, kw_only=True, namespace={"__module__": "monitor.models"},
    )  # fmt: skip
    values = {field.name: getattr(event(1), field.name) for field in dataclasses.fields(old)}
    with monkeypatch.context() as patch:
        patch.setitem(TABLES, "events", dataclasses.replace(TABLES["events"], record=old))
        before = open_store(str(tmp_path))
        before.append("events", [old(**values)])
        before.compact("events", everything=True)
        before.append("events", [old(**values | {"event_id": event_id(2)})])
    store = open_store(str(tmp_path))
    expected = [event(1), dataclasses.replace(event(1), event_id=event_id(2))]
    assert list(store.rows("events", [event_id(1), event_id(2)]).values()) == expected
    store.append("events", [event(3, value="$1", terms=("ten years",), claim_count=4)])
    expected.append(event(3, value="$1", terms=("ten years",), claim_count=4))
    assert list(store.load("events", store.scan("events"))) == expected
    assert store.scan("events").collect()["terms"].to_list() == [[], [], ["ten years"]]
    assert store.scan("events").filter(pl.col("value") == "").collect().height == 2
    store.compact("events", everything=True)
    assert list(open_store(str(tmp_path)).after("events", -1)[0]) == expected
    with monkeypatch.context() as patch:  # and back: the older program reads on, but will not drop what it cannot name
        patch.setitem(TABLES, "events", dataclasses.replace(TABLES["events"], record=old))
        before = open_store(str(tmp_path))
        assert before.rows("events", [event_id(3)])[event_id(3)].event_id == event_id(3)
        before.append("events", [old(**values)])
        with pytest.raises(StoreError, match="newer version"):
            before.compact("events", everything=True)


# the lock, the doors


def test_the_lock_is_held_by_one_and_freed_by_leaving(store: Store) -> None:
    with store.lock(), pytest.raises(LockHeld, match="another run"), open_store(store.url).lock():
        pass
    with open_store(store.url).lock():
        pass


def test_names_are_never_overwritten(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    place.create("a", b"first")
    with pytest.raises(LostRace):
        place.create("a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert files(tmp_path, ".") == ["a"]


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.EPERM, "no hard links"), (errno.ENOSPC, "make room"), (errno.EROFS, "cannot be written")],
)
def test_what_the_file_system_refuses_is_said_with_the_remedy(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StoreError, match=says):
        store.append("events", [event(1)])
    assert files(Path(store.url)) == []


def test_copy_goes_to_an_empty_place_and_can_be_taken_up_again(store: Store, tmp_path: Path) -> None:
    filled(store, "events", event, 5)
    store.compact("events", everything=True)
    store.append("events", [event(1, 2)])
    filled(store, "articles", article, 3)
    target = tmp_path / "copy"
    assert store.copy_to(str(target)) == 4
    (target / "articles" / "seg-000000000000.parquet").unlink()
    assert store.copy_to(f"file://{target}") == 1
    copied = open_store(str(target))
    for table in TABLES:
        assert copied.after(table, -1) == store.after(table, -1)
    copied.append("events", [event(8)])
    with pytest.raises(StoreError, match="already"):
        store.copy_to(str(target))


def test_a_panic_of_polars_is_a_store_error() -> None:
    class Panic(pl.exceptions.PanicException):  # type: ignore[misc]
        pass

    assert not issubclass(pl.exceptions.PanicException, Exception)  # why it needs care
    with pytest.raises(StoreError, match="Panic: it broke"), polars_errors("here"):
        raise Panic("it broke")


def test_opening_and_asking_is_quick_and_reads_no_base(store: Store) -> None:
    filled(store, "events", event, 20_000)
    store.compact("events", everything=True)
    reader = open_store(store.url)
    start = time.perf_counter()
    assert len(reader.find("events", range(0, 20_000, 100))) == 200
    assert time.perf_counter() - start < 0.5
    assert not reader.log("events")._notes  # the Parquet file was not touched
