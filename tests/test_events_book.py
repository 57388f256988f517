"""Of many deals of one company few are looked at, and never too few."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events import Book, default_rules, fold
from monitor.events.identity import find
from monitor.models import Claim, Event
from monitor.pipeline.backfilling import Deals
from tests.deals import NOW, SETTINGS, changes, claim, latest, on, told

NAMES = [
    "Vela", "Vela Systems", "The Vela Group", "OpenOrm", "Open Orm", "Micron", "Microsoft", "Kiteworks Labs",
    "Kiteworks Holdings", "General Rill", "General Toft", "3M", "Rill",
]  # fmt: skip
DEALS = st.builds(
    lambda parties, deal_type, status, day, value, watched: claim(
        ", ".join(parties), deal_type, status, day, value=value, watched=tuple(p for p in parties if p in watched)
    ),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True),
    st.sampled_from(["partnership", "licensing", "acquisition"]),
    st.sampled_from(["rumour", "announced", "completed"]),
    st.sampled_from([0.0, 3, 20, 200]),
    st.sampled_from(["", "", "$1 billion", "$1.04 billion", "€1.5 million", "27% stake"]),
    st.sets(st.sampled_from(NAMES), max_size=2),
)


@given(st.lists(DEALS, min_size=1, max_size=12), DEALS)
def test_no_deal_that_fits_is_passed_over(before: list[Claim], asked: Claim) -> None:
    rules = default_rules()
    known = latest(told(*before)).values()
    near = Book(known).near(asked)
    everything = find(asked, on(0), known, rules, SETTINGS.story_window_days)
    assert find(asked, on(0), near, rules, SETTINGS.story_window_days) == everything


def test_a_deal_that_changed_is_found_as_it_is_now() -> None:
    (first, second) = told(claim("Vela", "acquisition"), claim("Vela, Orm", "acquisition", value="$2 billion"))
    assert (first.event_id, second.parties) == (second.event_id, ("Vela", "Orm"))
    book = Book([first])
    book.add([second])
    book.add([first])
    assert book.near(claim("Vela, Orm")) == [second]
    assert book.near(claim("Vela, Kite")) == []
    assert book.near(claim("Orm, Kite", value="$1.98 billion")) == [second]


def test_two_parties_whose_names_begin_alike_are_one_deal_when_told_again() -> None:
    again = told(claim("Micron, Microsoft", status="announced"), claim("Micron, Microsoft", status="announced"))
    assert len(latest(again)) == 1


def of_one_company(number: int) -> list[Claim]:
    return [claim(f"Vela, Firm{n} Labs", "licensing", "announced", n * 0.01, number=n + 1) for n in range(number)]


def looked_at(claims: Sequence[Claim], monkeypatch: pytest.MonkeyPatch) -> int:
    """Known deals that were compared with a claim."""
    counted = 0
    near = Book.near

    def counting(book: Book, claim: Claim) -> list[Event]:
        nonlocal counted
        found = near(book, claim)
        counted += len(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Book, "near", counting)
        assert set(changes(fold((), claims, NOW, SETTINGS))) == {"new"}
    return counted


def test_a_thousand_deals_of_one_company_are_not_compared_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at(of_one_company(1000), monkeypatch) == 0
    valued = [claim(f"Vela, Firm{n} Labs", value=f"${1.07**n:.2f} million") for n in range(200)]
    assert looked_at(valued, monkeypatch) < 5 * len(valued), "few are of about the same sum"


def test_a_backfill_asks_the_tables_once_for_each_company() -> None:
    asked: list[int] = []

    def nothing(keys: Sequence[int]) -> tuple[Event, ...]:
        asked.extend(keys)
        return ()

    deals = Deals(nothing)
    for one in (*of_one_company(50), *of_one_company(50)):
        deals.fold([one], on(1), SETTINGS)
    assert len(asked) == len(set(asked))
