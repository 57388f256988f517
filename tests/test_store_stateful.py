"""The table of events against a plain dict, in any order of appends, commits, compactions, re-openings and damage."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_world import NOON, event, event_id, files

from monitor.models import Event
from monitor.store import Decision, Store, open_store

NUMBERS = st.integers(0, 12)
LOOKUPS = st.lists(st.sampled_from([0, 1, 2, 3, 2**64 - 1]), max_size=3, unique=True).map(tuple)


class Tables(RuleBasedStateMachine):
    """Two processes' worth of stores on one folder, and what they should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stores: list[Store] = [open_store(str(self.folder)), open_store(str(self.folder))]
        self.log: list[Event] = []  # every row, oldest first
        self.everything: list[Event] = []  # those that retention dropped too
        self.carried: dict[str, set[int]] = {}  # lookups of stored versions
        self.cursor: int | None = None
        self.position, self.read = -1, 0

    @initialize()
    def begin(self) -> None:
        assert self.stores[0].scan("events").collect().height == 0

    def _next(self, number: int, lookup: tuple[int, ...]) -> Event:
        version = len(self.everything) + 1
        return event(number, version, lookup=lookup, changed_at=NOON + timedelta(hours=version))

    def _stored(self, records: list[Event]) -> None:
        self.log += records
        self.everything += records

    @rule(which=st.integers(0, 1), numbers=st.lists(NUMBERS, min_size=1, max_size=5), lookup=LOOKUPS)
    def append(self, which: int, numbers: list[int], lookup: tuple[int, ...]) -> None:
        records = []
        for number in numbers:
            records.append(self._next(number, lookup))
            self._stored(records[-1:])
        self.stores[which].append("events", records)

    @rule(which=st.integers(0, 1), numbers=st.lists(NUMBERS, max_size=5, unique=True), lookup=LOOKUPS)
    def commit_new(self, which: int, numbers: list[int], lookup: tuple[int, ...]) -> None:
        wanted = [self._next(number, lookup) for number in numbers]
        known = {item.event_id for item in self.log}
        cursor = len(self.everything)

        def decide(view: Any) -> Decision:
            seen = view.seen([item.event_id for item in wanted])
            return Decision([item for item in wanted if item.event_id not in seen], cursor)

        stored = self.stores[which].commit("events", decide)
        assert list(stored) == [item for item in wanted if item.event_id not in known]
        self._stored(list(stored))
        self.cursor = cursor

    @rule(which=st.integers(0, 1), everything=st.booleans(), grace=st.sampled_from([-1.0, 3600.0]))
    def compact(self, which: int, everything: bool, grace: float) -> None:
        self.stores[which].compact("events", everything=everything, grace=grace)

    @rule(which=st.integers(0, 1), hours=st.integers(1, 6))
    def retain(self, which: int, hours: int) -> None:
        now = NOON + timedelta(hours=len(self.everything))
        done = self.stores[which].compact("events", everything=True, keep=timedelta(hours=hours), now=now)
        newest = {item.event_id: item for item in self.log}
        if not done.merged:
            return
        kept = [
            item
            for item in self.log
            if item.changed_at >= now - timedelta(hours=hours) or newest[item.event_id] is item
        ]
        self.read -= sum(item not in kept for item in self.log[: self.read])
        self.log = kept

    @rule(which=st.integers(0, 1))
    def open_again(self, which: int) -> None:
        self.stores[which] = open_store(str(self.folder))

    @rule(which=st.integers(0, 1), choice=st.randoms(use_true_random=False))
    def flip_a_bit_of_an_index_or_a_needless_file(self, which: int, choice: Any) -> None:
        """Damage that loses nothing must change nothing; the doctor then leaves nothing to find."""
        names = {part.name for part in self.stores[which].view("events").parts}
        harmless = [
            name for name in files(self.folder) if name not in names and not name.startswith(("damaged", ".tmp"))
        ]
        if harmless:
            path = self.folder / "events" / choice.choice(harmless)
            data = bytearray(path.read_bytes())
            data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
            path.write_bytes(data)
            self.check()
            assert not any(finding.lost for finding in self.stores[which].doctor())
            assert open_store(str(self.folder)).doctor() == ()

    @rule(which=st.integers(0, 1), limit=st.sampled_from([None, 1, 3]))
    def go_on_reading(self, which: int, limit: int | None) -> None:
        records, self.position = self.stores[which].after("events", self.position, limit)
        expected = self.log[self.read :]
        assert list(records) == (expected if limit is None else expected[:limit])
        self.read += len(records)

    @invariant()
    def check(self) -> None:
        newest = {item.event_id: item for item in self.log}
        ids = [event_id(number) for number in range(14)]
        for store in self.stores:
            assert store.rows("events", ids) == {key: newest[key] for key in ids if key in newest}
            assert store.seen("events", ids) == set(ids) & newest.keys()
            for lookup in (0, 2**64 - 1):
                found = {item.event_id for item in store.find("events", [lookup])}
                must = {item.event_id for item in self.log if lookup in item.lookup}
                may = {item.event_id for item in self.everything if lookup in item.lookup}
                assert must <= found <= may
                assert all(item == newest[item.event_id] for item in store.find("events", [lookup]))
            assert store.cursor("events") == self.cursor
            assert list(store.load("events", store.scan("events"))) == self.log
            assert {item.event_id: item for item in store.load("events", store.latest("events"))} == newest

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


RELAXED = settings(max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
Tables.TestCase.settings = RELAXED
TestTables = Tables.TestCase


@pytest.mark.slow
class TestTablesForLonger(Tables.TestCase):  # type: ignore[misc,name-defined]
    """The same, at length."""

    settings = settings(RELAXED, max_examples=60, stateful_step_count=40)
