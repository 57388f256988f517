"""When a claim is about a known deal: a table of short histories, and which claims must end in one deal."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from monitor.events import lookup_keys, wanted_keys
from monitor.events.names import alike, pair_up, words
from monitor.models import Claim
from tests.deals import claim, told

HISTORIES = tomllib.loads((Path(__file__).parent / "data" / "events" / "histories.toml").read_text("utf-8"))["history"]


def read(line: str) -> Claim:
    """A claim out of a line of the file."""
    head, *more = line.split(" | ")
    when, _, parties = head.partition(": ")
    day, status, deal_type = when.split()
    fields: dict[str, Any] = dict(field.split("=") for field in more)
    for name in fields.keys() & {"marks", "watched"}:
        fields[name] = tuple(fields[name].split(", "))
    return claim(parties, deal_type, status, float(day), **fields)


@pytest.mark.parametrize("history", HISTORIES, ids=[h["about"] for h in HISTORIES])
def test_history(history: dict[str, Any]) -> None:
    claims = [read(line) for line in history["claims"]]
    got: dict[str, set[int]] = {}
    place = {c.claim_key: i for i, c in enumerate(claims)}
    for event in told(*claims):
        got.setdefault(event.event_id, set()).update(place[k] for k in event.claim_keys)
    assert sorted(map(sorted, got.values())) == sorted(history["deals"])


def test_the_three_source_articles_give_three_changes_in_both_orders() -> None:
    """The facts of the project's founding example, as the best reader would claim them."""
    meta = ("Meta",)
    first = claim(
        "Meta:licensee, Midjourney:licensor", "licensing", "announced", sourcing="party_statement", watched=meta
    )

    def talks(day: float, outlet: str, deal_type: str) -> list[Claim]:
        more = {"sourcing": "named_report", "origin": "The Information", "watched": meta, "day": day, "outlet": outlet}
        return [claim(f"Meta, {other}", deal_type, **more) for other in ("Google", "OpenAI")]

    for reports in (talks(8, "Reuters", "licensing") + talks(8.2, "The Verge", "partnership"),
                    talks(8.2, "The Verge", "partnership") + talks(8, "Reuters", "licensing")):  # fmt: skip
        versions = told(first, *reports)
        assert [(e.change, e.parties) for e in versions if e.change] == [
            ("new", ("Meta", "Midjourney")), ("new", ("Meta", "Google")), ("new", ("Meta", "OpenAI")),
        ]  # fmt: skip
        for event in versions[-2:]:
            assert event.origins == ("The Information",)
            assert set(event.outlets) == {"Reuters", "The Verge"}
            assert event.evidence_level == "single_origin"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Meta", "Meta Platforms", True),
        ("The Walt Disney Company", "Walt Disney", True),
        ("SoftBank", "Softbank Group Corp.", True),
        ("Soft Bank", "SoftBank", True),
        ("Nestlé", "Nestle S.A.", True),
        ("L'Oréal", "L’Oreal", True),
        ("AT&T", "AT and T", True),
        ("General Motors", "General Electric", False),
        ("GM", "GM Financial", False),
        ("Bank of America", "Bank of China", False),
        ("Orm", "Ormat", False),
        ("T-Mobile US", "T-Mobile", True),
        ("Group", "Group", True),
        ("Macy's", "Macys", True),
    ],
)
def test_names_alike(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Meta", "Meta Platforms, Inc."),
        ("Soft Bank", "SoftBank"),
        ("Ventyx", "Ventyx Biosciences"),
        ("3 M", "3M Company"),
    ],
)
def test_a_name_finds_all_alike(one: str, other: str) -> None:
    for asked, kept in ((one, other), (other, one), (one, one)):
        assert set(wanted_keys([claim(asked)])) & set(lookup_keys([kept], "equity"))


def test_a_name_finds_nothing_else() -> None:
    kept = lookup_keys(["Company 2", "General Mills"], "equity")
    assert not set(wanted_keys([claim("Company 1, General Motors")])) & set(kept)
    assert lookup_keys(["Meta"], "equity") != lookup_keys(["Meta"], "commercial")


def test_pairing_takes_equal_names_first() -> None:
    assert pair_up(["Delta", "Delta Air Lines"], ["Delta Air Lines", "Delta"], (), ()) == {0: 1, 1: 0}
    assert words("The") == ("the",)
    assert words("???") == ("???",)
