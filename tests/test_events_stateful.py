"""The fold over a long life: batches, repeats, late articles, time, merges and splits, in any order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.events import expire, fold, merge, split, wanted_keys
from monitor.events.rules import CLAIMED
from monitor.models import Claim, Event
from tests.deals import SETTINGS, claim, on

PARTIES = [
    "Vela, Orm", "Orm, Vela", "Vela, Kite", "Vela:acquirer, Kite:target", "Orm:acquirer, Kite:target", "Kite:target",
    "Vela", "Vela, Orm, Kite", "Rill:recipient", "Orm:investor, Rill:recipient",
]  # fmt: skip
TYPES = ["partnership", "licensing", "supply_contract", "acquisition", "investment"]


def told_by(number: int, parties: str, deal_type: str, status: str, day: float, origin: str, mark: str) -> Claim:
    sourcing = "named_report" if origin else "unattributed"
    marks = (mark,) if mark else ()
    return claim(parties, deal_type, status, day, number=number, origin=origin, sourcing=sourcing, marks=marks)


class Life(RuleBasedStateMachine):
    """A table of events as the store keeps it, and everything that may happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 0.0
        self.claims: list[Claim] = []
        self.rows: list[Event] = []
        self.newest: dict[str, Event] = {}

    def store(self, versions: list[Event]) -> None:
        for event in versions:
            before = self.newest.get(event.event_id)
            assert event.version == (before.version + 1 if before else 1)
            assert (event.change == "new") <= (before is None)
            if before is not None and event.change not in (None, "expired") and not event.merged_into:
                assert event.status_before == before.status
            self.rows.append(event)
            self.newest[event.event_id] = event

    def fold(self, claims: list[Claim]) -> list[Event]:
        keys = set(wanted_keys(claims))
        found = [event for event in self.newest.values() if keys & set(event.lookup)]
        return fold(found, claims, on(self.day), SETTINGS)

    def living(self) -> list[Event]:
        return [event for event in self.newest.values() if not event.merged_into]

    @rule(
        told=st.lists(
            st.tuples(
                st.sampled_from(PARTIES), st.sampled_from(TYPES), st.sampled_from(CLAIMED),
                st.sampled_from([0, 0, 1, 30]),
                st.sampled_from(["", "Bloomberg", "Reuters"]), st.sampled_from(["", "", "", "second"]),
            ),
            min_size=1, max_size=4,
        )
    )  # fmt: skip
    def articles_come(self, told: list[tuple[Any, ...]]) -> None:
        fresh = [
            told_by(len(self.claims) + n + 1, parties, deal_type, status, max(0.0, self.day - late), origin, mark)
            for n, (parties, deal_type, status, late, origin, mark) in enumerate(told)
        ]
        self.claims += fresh
        versions = self.fold(fresh)
        assert {key for event in versions for key in event.claim_keys} == {c.claim_key for c in fresh}
        self.store(versions)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def old_claims_come_again(self, data: st.DataObject) -> None:
        again = data.draw(st.lists(st.sampled_from(self.claims), max_size=5))
        assert self.fold(again) == []

    @rule(days=st.sampled_from([0.1, 1.0, 8.0, 40.0, 200.0]))
    def time_passes(self, days: float) -> None:
        self.day += days
        gone = expire(self.newest.values(), on(self.day), SETTINGS)
        self.store(gone)
        assert expire(self.newest.values(), on(self.day), SETTINGS) == []

    @precondition(lambda self: len(self.living()) > 1)
    @rule(data=st.data())
    def a_person_merges(self, data: st.DataObject) -> None:
        one, other = data.draw(st.permutations(self.living()))[:2]
        self.store(merge(one, other, on(self.day)))

    @precondition(lambda self: any(len(e.folded) > 1 for e in self.living()))
    @rule(data=st.data())
    def a_person_splits(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from([e for e in self.living() if len(e.folded) > 1]))
        ours = [c for c in self.claims if c.claim_key in event.folded]
        moved = data.draw(st.sampled_from(ours)).claim_key
        kept, fresh = split(event, ours, {moved}, on(self.day), SETTINGS)
        if fresh.event_id in self.newest:
            return  # split off before, and merged back since
        self.store([kept, fresh])

    @invariant()
    def every_claim_is_in_a_living_deal(self) -> None:
        held = {key for event in self.living() for key in event.folded}
        assert held == {c.claim_key for c in self.claims}

    @invariant()
    def every_tombstone_leads_to_a_living_deal(self) -> None:
        for event in self.newest.values():
            seen, here = set(), event
            while here.merged_into:
                assert here.event_id not in seen
                seen.add(here.event_id)
                here = self.newest[here.merged_into]

    @invariant()
    def deals_are_sound(self) -> None:
        for event in self.newest.values():
            assert len(event.roles) in (0, len(event.parties))
            assert len(set(event.parties)) == len(event.parties)
            assert event.first_seen is not None and event.last_claim is not None
            assert event.first_seen <= event.last_claim
            assert set(wanted_keys([claim(", ".join(event.parties))])) & set(event.lookup)
            if event.evidence_level == "corroborated":
                assert len(event.origins) > 1

    @invariant()
    def no_two_versions_bring_the_same_news_twice(self) -> None:
        for event in self.living():
            kinds = [row.change for row in self.rows if row.event_id == event.event_id]
            assert kinds.count("new") <= 1

    def teardown(self) -> None:
        again = [replace(c) for c in self.claims]
        assert self.fold(again) == []


Life.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLifeOfDeals = Life.TestCase
