"""Flipped bits, torn files, missing files: each is noticed and named, the good is used, the doctor says what it did."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from store_world import NOON, claim, delivery, entry, event, event_id, files

from monitor.errors import DamagedSegment, StoreError
from monitor.store import Decision, Store, open_store
from monitor.store.doctor import examine
from monitor.store.repair import repair
from monitor.store.segments import MARK, check, seal

EVENTS = [event(number, evidence=f"{MARK} crc32=00000000 sha256=" + "0" * 64 + " {}") for number in range(40)]


def build(root: Path, *, base: bool = True, tail: bool = True) -> Store:
    store = open_store(str(root))
    store.append("events", EVENTS[:20])
    store.append("events", EVENTS[20:30])
    if base:
        store.compact("events", everything=True, grace=-1)
    if tail:
        store.append("events", EVENTS[30:])
    return store


def paths(store: Store, table: str = "events") -> list[Path]:
    return [Path(store.url) / table / name for name in files(Path(store.url), table) if "damaged" not in name]


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def ask_everything(store: Store) -> None:
    """Every way of reading, so that whatever is damaged is met."""
    store.scan("events")
    assert store.rows("events", [event_id(number) for number in range(40)]) == {
        event_id(number): EVENTS[number] for number in range(40)
    }
    assert len(store.find("events", range(40))) == 40


@pytest.mark.parametrize("seed", range(4))
def test_of_a_thousand_flipped_bits_each_is_noticed_named_and_mended(tmp_path: Path, seed: int) -> None:
    """250 a round, over all kinds of files; Parquet files tell at once, indexes when the doctor looks."""
    rng = random.Random(seed)
    store = build(tmp_path)
    kinds = {path: path.read_bytes() for path in paths(store)}
    assert sorted(path.suffix for path in kinds) == [".index", ".parquet", ".parquet"]
    for _ in range(250):
        (path,) = rng.choices(list(kinds), weights=[len(good) for good in kinds.values()])
        good = kinds[path]
        flip(path, rng.randrange(len(good) * 8))
        if path.suffix == ".parquet":
            with pytest.raises(DamagedSegment, match=path.name):
                check(path)
            assert repair(path.read_bytes()) == good
        else:
            found = list(examine(open_store(str(tmp_path)).log("events"), mend=False))
            assert [finding.path for finding in found] == [str(path)]
        path.write_bytes(good)


def test_a_flipped_bit_never_gives_a_wrong_answer(tmp_path: Path) -> None:
    """Read everything after each flip: the right answer (made good elsewhere) or an error that names the file."""
    rng = random.Random(9)
    store = build(tmp_path)
    outcomes = set()
    for path in paths(store):
        good = path.read_bytes()
        for _ in range(25):
            flip(path, rng.randrange(len(good) * 8))
            try:
                ask_everything(open_store(str(tmp_path)))
                outcomes.add((path.suffix, "right"))
            except DamagedSegment as error:
                assert path.name in str(error)
                assert "deal-monitor doctor" in str(error)
                outcomes.add((path.suffix, "named"))
            path.write_bytes(good)
    assert outcomes == {(".index", "right"), (".parquet", "named")}


def test_polars_alone_would_not_notice(tmp_path: Path) -> None:
    """Without our seal most flips in a compressed page would pass unseen: the reason why it is there."""
    rng = random.Random(3)
    words = [" ".join(rng.choices(["deal", "talks", "stake", "Meta", "Google", "said"], k=30)) for _ in range(500)]
    path, frame = tmp_path / "plain.parquet", pl.DataFrame({"text": words})
    frame.write_parquet(path)
    good, unseen = path.read_bytes(), 0
    for _ in range(60):
        flip(path, rng.randrange(100 * 8, len(good) * 4))
        with suppress(pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            unseen += not pl.read_parquet(path).equals(frame)
        path.write_bytes(good)
    assert unseen > 20


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def other(path: Path) -> None:
    path.write_bytes(seal(pl.DataFrame({"a": [1]}), {"table": "x"})[:-30] + b"PAR1")


@pytest.mark.parametrize("tear", [cut, empty, zeros, other, Path.unlink])
def test_a_torn_base_is_made_good_by_what_it_superseded(tmp_path: Path, tear: Callable[[Path], None]) -> None:
    store = build(tmp_path, base=False)
    store.compact("events", everything=True)
    base = next(path for path in paths(store) if path.name.startswith("base") and path.suffix == ".parquet")
    tear(base)
    reader = open_store(str(tmp_path))
    ask_everything(reader)
    reader.append("events", [event(99)])
    if tear is not Path.unlink:
        (finding,) = reader.doctor()
        assert base.name in finding.path
        assert "other files hold its rows" in finding.done
    assert open_store(str(tmp_path)).doctor() == ()
    ask_everything(open_store(str(tmp_path)))


@pytest.mark.parametrize("tear", [cut, empty, zeros, other])
def test_a_torn_base_alone_is_restored_from_its_index(tmp_path: Path, tear: Callable[[Path], None]) -> None:
    store = build(tmp_path)
    base = next(path for path in paths(store) if path.name.startswith("base") and path.suffix == ".parquet")
    tear(base)
    with pytest.raises(DamagedSegment, match=base.name):
        open_store(str(tmp_path)).scan("events")
    (finding,) = open_store(str(tmp_path)).doctor()
    assert not finding.lost
    assert "30 rows" in finding.done
    ask_everything(open_store(str(tmp_path)))
    assert open_store(str(tmp_path)).doctor() == ()
    assert [path.name.endswith(base.name) for path in (tmp_path / "events" / "damaged").iterdir()] == [True]


@pytest.mark.parametrize("tear", [cut, empty, zeros, Path.unlink])
def test_a_torn_index_is_built_again(tmp_path: Path, tear: Callable[[Path], None]) -> None:
    store = build(tmp_path)
    index = next(path for path in paths(store) if path.suffix == ".index")
    tear(index)
    ask_everything(open_store(str(tmp_path)))
    (finding,) = open_store(str(tmp_path)).doctor()
    assert finding.done == "built again from its base"
    assert open_store(str(tmp_path)).doctor() == ()
    ask_everything(open_store(str(tmp_path)))


@pytest.mark.parametrize("tear", [cut, empty, zeros, Path.unlink])
def test_a_torn_segment_stops_reading_until_the_doctor_says_what_is_lost(
    tmp_path: Path, tear: Callable[[Path], None]
) -> None:
    store = open_store(str(tmp_path))
    for number in range(4):
        store.commit("events", lambda view, n=number: Decision([event(n)], cursor=n))
    torn = tmp_path / "events" / "seg-000000000002.parquet"
    tear(torn)
    with pytest.raises(DamagedSegment, match=torn.name):
        open_store(str(tmp_path)).seen("events", [event_id(1)])
    (finding,) = open_store(str(tmp_path)).doctor()
    assert finding.lost
    assert "lost; fold the stored claims again" in finding.done
    healed = open_store(str(tmp_path))
    assert healed.scan("events").collect()["event_id"].to_list() == [event_id(number) for number in (0, 1, 3)]
    healed.append("events", [event(9)])
    assert healed.doctor() == ()


def test_a_lost_newest_segment_takes_the_cursor_back(tmp_path: Path) -> None:
    """So that what was folded into the lost rows is folded again."""
    store = open_store(str(tmp_path))
    for number in range(3):
        store.commit("events", lambda view, n=number: Decision([event(n)], cursor=10 * n))
    cut(tmp_path / "events" / "seg-000000000002.parquet")
    assert open_store(str(tmp_path)).doctor()[0].lost
    assert open_store(str(tmp_path)).cursor("events") == 10
    position = open_store(str(tmp_path)).after("events", -1)[1]
    open_store(str(tmp_path)).append("events", [event(7)])
    assert open_store(str(tmp_path)).after("events", position)[0] == (event(7),)  # its number is not used again


def test_rows_with_long_texts_are_mended_bit_by_bit_or_named_lost(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.append("entries", [entry(number) for number in range(10)])
    store.append("entries", [entry(number) for number in range(10, 20)])
    store.compact("entries", everything=True, grace=-1)
    base = next(path for path in paths(store, "entries") if path.suffix == ".parquet")
    flip(base, base.stat().st_size * 3)
    (finding,) = open_store(str(tmp_path)).doctor()
    assert finding.done == "one flipped bit was flipped back"
    assert len(open_store(str(tmp_path)).after("entries", -1)[0]) == 20
    assert open_store(str(tmp_path)).doctor() == ()
    base = next(path for path in paths(store, "entries") if path.suffix == ".parquet")
    flip(base, 800)
    flip(base, 900)
    (finding,) = open_store(str(tmp_path)).doctor()
    assert "20 rows are lost; entries that the feeds still list come back" in finding.done
    assert open_store(str(tmp_path)).scan("entries").collect().height == 0


def test_mending_what_a_base_replaced_brings_no_dropped_rows_back(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for day in range(4):
        store.append("deliveries", [delivery(day, at=NOON + timedelta(days=day))])
    store.compact("deliveries", keep=timedelta(days=1), now=NOON + timedelta(days=3), everything=True)
    kept = store.load("deliveries", store.scan("deliveries"))
    assert len(kept) == 2
    for path in paths(store, "deliveries"):
        if path.name.startswith("seg"):
            flip(path, 900)
    assert {finding.done for finding in store.doctor()} == {"taken out of service; a newer file holds its rows"}
    store = open_store(str(tmp_path))
    assert store.load("deliveries", store.scan("deliveries")) == kept


def test_the_doctor_only_tells_when_told_to(tmp_path: Path) -> None:
    store = build(tmp_path)
    store.append("claims", [claim(1)])
    flip(tmp_path / "claims" / "seg-000000000000.parquet", 999)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (finding,) = open_store(str(tmp_path)).doctor(mend=False)
    assert (finding.table, finding.done) == ("claims", "")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    ask_everything(open_store(str(tmp_path)))  # the other tables go on


def test_copying_stops_at_damage(tmp_path: Path) -> None:
    store = build(tmp_path / "from")
    flip(next(path for path in paths(store) if path.name.startswith("seg")), 400)
    with pytest.raises(StoreError, match="seg-"):
        open_store(store.url).copy_to(str(tmp_path / "to"))
    shutil.rmtree(tmp_path / "to", ignore_errors=True)
