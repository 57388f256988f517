"""A process that writes to the tables, for the tests that run several of them or kill one. Run by path.

store_writer.py URL race FIRST LAST STEP    propose events FIRST to LAST, STEP at a time, and say which were taken
store_writer.py URL loop LOG                commit events for ever; each number acknowledged goes to the file LOG
store_writer.py URL watch SECONDS           read all the time and say how many reads there were
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from store_world import event, event_id

from monitor.store import Store, compaction, open_store


def propose(store: Store, numbers: list[int]) -> list[int]:
    def decide(view: Any) -> list[Any]:
        known = view.seen([event_id(number) for number in numbers])
        return [event(number) for number in numbers if event_id(number) not in known]

    return [int(item.event_id, 16) for item in store.commit("events", decide)]


def race(store: Store, first: int, last: int, step: int) -> None:
    compaction.SEGMENTS = 16  # so that compactions happen in mid-race too
    for start in range(first, last, step):
        taken = propose(store, list(range(start, min(last, start + step))))
        print(*taken, flush=True)


def loop(store: Store, log: str) -> None:
    compaction.SEGMENTS = 8
    handle = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    number = int(store.scan("events").collect().height) * 10 + 1000 * (os.getpid() % 1000)
    while True:
        for taken in propose(store, [number, number + 1]):
            os.write(handle, f"{taken}\n".encode())
        number += 2


def watch(store: Store, seconds: float) -> None:
    end = time.monotonic() + seconds
    reads = rows = 0
    while time.monotonic() < end:
        now = open_store(store.url) if reads % 5 == 0 else store
        height = now.scan("events").collect().height
        assert height >= rows, "rows went away"
        rows = height
        now.find("events", range(20))
        reads += 1
    print(reads, flush=True)


if __name__ == "__main__":
    url, what, *rest = sys.argv[1:]
    opened = open_store(url)
    if what == "race":
        race(opened, *map(int, rest))
    elif what == "loop":
        loop(opened, rest[0])
    else:
        watch(opened, float(rest[0]))
