"""The same tables on an S3 API on loopback: commits on condition, lost answers, two writers, copies there and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_server import BUCKET, CREDENTIALS, Gate, serving
from store_world import article, entry, event, event_id

from monitor.errors import DamagedSegment, LockHeld, StoreError
from monitor.store import TABLES, Decision, compaction, lock, open_store
from monitor.store.bucket import Bucket, connect

WRITER = Path(__file__).with_name("store_writer.py")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Gate]]:
    with serving() as found:
        yield found


@pytest.fixture
def gate(server: tuple[str, Gate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Gate:
    endpoint, gate = server
    for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint, "XDG_CACHE_HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    return gate


@pytest.fixture
def url(gate: Gate, request: pytest.FixtureRequest) -> str:
    return f"s3://{BUCKET}/{request.node.name}/state"


def test_a_day_on_object_storage(url: str) -> None:
    store = open_store(url)
    assert store.seen("events", [event_id(1)]) == set()
    store.commit("events", lambda view: Decision([event(number) for number in range(10)], cursor=3))
    store.append("events", [event(1, 2)])
    store.append("entries", [entry(number) for number in range(5)])
    for compacted in (False, True):
        if compacted:
            for table in ("events", "entries"):
                store.compact(table, everything=True, grace=-1)
        for reader in (store, open_store(url)):
            assert reader.rows("events", [event_id(1), event_id(2)]) == {
                event_id(1): event(1, 2),
                event_id(2): event(2),
            }
            assert reader.find("events", [4]) == (event(4),)
            assert reader.cursor("events") == 3
            assert reader.rows("entries", [entry(3).entry_key]) == {entry(3).entry_key: entry(3)}
            assert reader.latest("events").collect().height == 10
            assert len(reader.after("events", -1)[0]) == 11
    assert store.doctor() == ()


def test_a_conflict_answer_is_a_lost_race(gate: Gate, url: str) -> None:
    store = open_store(url)
    gate.faults["conflict"] = 2
    calls = []
    stored = store.commit("events", lambda view: calls.append(1) or [event(1)])  # type: ignore[func-returns-value]
    assert [item.event_id for item in stored] == [event_id(1)]
    assert len(calls) == 3
    assert store.scan("events").collect().height == 1


def test_a_lost_answer_is_not_taken_for_somebody_else(gate: Gate, url: str) -> None:
    """The put went through, the answer did not, the client asked again and was told that the name is taken: by us."""
    store = open_store(url)
    gate.faults["lost"] = 1
    stored = store.commit("events", lambda view: [] if view.seen([event_id(1)]) else [event(1)])
    assert [item.event_id for item in stored] == [event_id(1)]
    assert store.scan("events").collect().height == 1


def test_a_short_outage_is_waited_out(gate: Gate, url: str) -> None:
    gate.faults["down"] = 2
    open_store(url).append("events", [event(1)])
    assert open_store(url).seen("events", [event_id(1)]) == {event_id(1)}


def test_a_wrong_address_is_said(gate: Gate) -> None:
    with pytest.raises(StoreError, match="nosuchbucket"):
        open_store("s3://nosuchbucket/x").append("events", [event(1)])
    with pytest.raises(StoreError, match="no such storage"):
        open_store("nonsense://x/y").seen("events", [1])


def race(url: str, writers: int, events: int) -> None:
    environment = dict(os.environ)
    command = [sys.executable, str(WRITER), url, "race", "0", str(events), "4"]
    running = []
    for number in range(writers):
        more = environment | {"XDG_CACHE_HOME": f"{environment['XDG_CACHE_HOME']}/{number}"}
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=more))
    claimed: Counter[int] = Counter()
    for process in running:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        claimed.update(int(word) for word in out.split())
    assert claimed == Counter(range(events))
    stored = open_store(url).scan("events").collect()["event_id"].to_list()
    assert Counter(stored) == Counter(map(event_id, range(events)))
    assert open_store(url).doctor(mend=False) == ()


def test_two_writers_store_each_event_once(url: str) -> None:
    race(url, 2, 60)


@pytest.mark.slow
def test_four_writers_store_each_event_once(url: str) -> None:
    race(url, 4, 200)


def test_tables_move_to_object_storage_and_back(url: str, tmp_path: Path) -> None:
    here = open_store(str(tmp_path / "here"))
    here.append("events", [event(number) for number in range(10)])
    here.compact("events", everything=True)
    here.append("events", [event(1, 2)])
    here.append("articles", [article(number) for number in range(3)])
    assert here.copy_to(url) == 4
    there = open_store(url)
    there.append("events", [event(11)])
    back = tmp_path / "back"
    assert there.copy_to(str(back)) == 5
    for table in TABLES:
        assert open_store(str(back)).after(table, -1) == there.after(table, -1)
    assert open_store(str(back)).find("events", [1]) == (event(1, 2),)


def test_damage_in_the_bucket_is_named_by_its_address(url: str) -> None:
    store = open_store(url)
    store.append("events", [event(1)])
    raw = connect(url)
    import obstore

    data = bytearray(bytes(obstore.get(raw, "events/seg-000000000000.parquet").bytes()))
    data[200] ^= 1
    obstore.put(raw, "events/seg-000000000000.parquet", bytes(data))
    bucket = store.log("events").place
    assert isinstance(bucket, Bucket)
    bucket.local("seg-000000000000.parquet", again=True)
    reader = open_store(url)
    with pytest.raises(DamagedSegment, match=f"{url}/events/seg-000000000000.parquet"):
        reader.seen("events", [event_id(1)])
    (finding,) = reader.doctor()
    assert finding.done == "one flipped bit was flipped back"
    assert open_store(url).rows("events", [event_id(1)]) == {event_id(1): event(1)}


def test_a_damaged_copy_in_the_cache_is_fetched_again(url: str) -> None:
    store = open_store(url)
    store.append("events", [event(1)])
    bucket = store.log("events").place
    path = bucket.local("seg-000000000000.parquet")
    path.write_bytes(path.read_bytes()[:-50])
    assert open_store(url).rows("events", [event_id(1)]) == {event_id(1): event(1)}


def test_copies_of_objects_that_are_gone_are_dropped(url: str) -> None:
    store = open_store(url)
    for number in range(3):
        store.append("events", [event(number)])
    reader = open_store(url)
    assert reader.scan("events").collect().height == 3
    bucket = reader.log("events").place
    assert isinstance(bucket, Bucket)
    assert len(list(bucket.cache.iterdir())) == 3
    store.compact("events", everything=True, grace=-1)
    compaction.sweep(reader.log("events"), grace=-1)
    assert {path.name for path in bucket.cache.iterdir()} <= bucket.names()
    assert open_store(url).find("events", [1]) == (event(1),)


@pytest.mark.parametrize("seconds", [-1.0, 3e8])
def test_the_lease_is_held_by_one_renewed_and_runs_out(
    url: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    with open_store(url).lock(), pytest.raises(LockHeld, match="another run"), open_store(url).lock():
        pass
    with open_store(url).lock():
        pass
    # a holder that died: its lease has run out, or will in ten years, as its clock was wrong
    monkeypatch.setattr(lock, "LEASE", seconds)
    lease: Any = lock._Lease(connect(url), url)
    lease.take()
    monkeypatch.setattr(lock, "LEASE", 300.0)
    with open_store(url).lock():
        assert json.loads(bytes(_get(url)))["owner"] != lease.owner
        assert not lease.renew()  # the dead one cannot take it back


def _get(url: str) -> Any:
    import obstore

    return obstore.get(connect(url), "lock").bytes()
