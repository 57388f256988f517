"""Several processes on the same tables: nothing twice, nothing missing, nobody who reads is disturbed. And kill -9."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from store_world import event, event_id, files

from monitor.errors import LockHeld
from monitor.store import open_store
from monitor.store.places import Folder

WRITER = Path(__file__).with_name("store_writer.py")


def start(url: str, *args: object, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), url, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)


def taken(process: subprocess.Popen[str]) -> list[int]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return [int(word) for word in out.split()]


def race(folder: Path, writers: int, events: int, step: int) -> None:
    """All writers propose the same events; each event is one writer's."""
    url = str(folder)
    watcher = start(url, "watch", 2)
    running = [start(url, "race", 0, events, step) for _ in range(writers)]
    claimed = Counter(number for process in running for number in taken(process))
    assert taken(watcher)[0] > 3
    assert claimed == Counter(range(events))
    store = open_store(url)
    stored = store.scan("events").collect()["event_id"].to_list()
    assert Counter(stored) == Counter(map(event_id, range(events)))
    assert store.doctor(mend=False) == ()


def test_two_writers_that_propose_the_same_store_each_event_once(tmp_path: Path) -> None:
    race(tmp_path, 2, 60, 3)


def interleaved(url: str) -> list[str]:
    """Two writers, the second faster than the first while it decides; the ids that are stored in the end."""
    slow, fast = open_store(url), open_store(url)

    def decide(view: Any) -> list[Any]:
        if view.head < 0:
            fast.append("events", [event(1)])
        return [event(2)]

    slow.commit("events", decide)
    return sorted(open_store(url).scan("events").collect()["event_id"].to_list())


def test_a_create_that_overwrites_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert interleaved(str(tmp_path / "right")) == [event_id(1), event_id(2)]

    def overwrite(self: Folder, temporary: Path, target: Path) -> None:
        temporary.replace(target)

    monkeypatch.setattr(Folder, "_link", overwrite)
    assert interleaved(str(tmp_path / "wrong")) == [
        event_id(2)
    ]  # the other's event is lost: this is what links prevent


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(20))
def test_four_writers_twenty_times(tmp_path: Path, turn: int) -> None:
    race(tmp_path, 4, 100 + turn, 3)


def kill_at_random(folder: Path, kills: int, seed: int) -> None:
    """Writers are killed again and again; what one acknowledged before is there, once, and the tables are whole."""
    rng = random.Random(seed)
    url, log = str(folder / "state"), folder / "acknowledged"
    for _ in range(kills):
        process = start(url, "loop", log)
        time.sleep(0.5 + rng.uniform(0, 0.6))
        process.kill()
        process.wait()
    acknowledged = [int(line) for line in log.read_text().split()] if log.exists() else []
    store = open_store(url)
    stored = Counter(store.scan("events").collect()["event_id"].to_list())
    assert len(acknowledged) > kills
    assert {event_id(number) for number in acknowledged} <= stored.keys()
    assert max(stored.values()) == 1
    assert store.doctor(mend=False) == ()
    store.compact("events", everything=True, grace=-1)
    assert not [name for name in files(folder / "state") if name.startswith(".tmp")]


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 3, 1)


@pytest.mark.slow
def test_sixty_kills(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 60, 2)


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from monitor.store import open_store\n"
        "with open_store(sys.argv[1]).lock(): print(1, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(LockHeld, match=f"process {holder.pid}"), open_store(str(tmp_path)).lock():
        pass
    holder.kill()
    holder.wait()
    with open_store(str(tmp_path)).lock():
        pass
