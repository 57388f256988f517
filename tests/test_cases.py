"""The labelled cases are sound, and the scorer counts what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from monitor.models import DEAL_TYPES
from tests.cases import Case, load_cases, plain, score

STATUSES = ("rumour", "announced", "completed", "denied", "terminated", "none")


@dataclass(frozen=True)
class Answer:
    parties: tuple[str, ...]
    deal_type: str
    status: str


def case(**changes: Any) -> Case:
    values: dict[str, Any] = {
        "id": "x", "style": "wire", "title": "Asahi, Brenntag ink pact", "text": "", "watch": ("Asahi",),
        "parties": ("Asahi", "Brenntag"), "deal_type": "partnership", "status": "announced",
        "accept_deal_type": ("partnership",), "accept_status": ("announced",),
    }  # fmt: skip
    return Case(**(values | changes))


SILENT: dict[str, Any] = {"parties": (), "deal_type": "none", "status": "none"}
RIGHT = Answer(("Asahi", "Brenntag AG"), "partnership", "announced")


def faults(one: Case) -> list[str]:
    text = f"{one.title}\n{one.text}"

    def occurs(name: str) -> bool:
        aliases = [alias for company in one.companies if company.name == name for alias in company.aliases]
        return any(re.search(rf"(?<!\w){re.escape(alias)}(?!\w)", text, re.I) for alias in (name, *aliases))

    parties, rolled = set(one.parties), set().union(*one.roles.values())
    checks = {
        "nothing watched": bool(one.watch),
        "a name does not occur": all(map(occurs, (*one.watch, *one.parties, *one.not_parties))),
        "unknown status": {one.status, *one.accept_status} <= set(STATUSES),
        "unknown type": {one.deal_type, *one.accept_deal_type} <= {*DEAL_TYPES, "none"},
        "the label is not accepted": one.status in one.accept_status and one.deal_type in one.accept_deal_type,
        "silent and yet a deal": not one.silent or (one.deal_type == "none" and not parties),
        "silent or not": not one.silent or one.ambiguous or one.accept_status == ("none",),
        "nobody would be told": one.silent or bool(set(one.watch) & parties),
        "party and not party": not one.names(one.parties) & one.names(one.not_parties),
        "a role for no party": rolled <= parties,
    }
    return [f"{one.id}: {what}" for what, sound in checks.items() if not sound]


def test_labels_are_sound() -> None:
    assert [fault for one in load_cases() for fault in faults(one)] == []


def test_a_bad_label_is_seen() -> None:
    bad = case(watch=("Clariant",), not_parties=("Brenntag",), status="merged", roles={"supplier": ("Dow",)})
    assert [fault.partition(": ")[2] for fault in faults(bad)] == [
        "a name does not occur", "unknown status", "the label is not accepted", "nobody would be told",
        "party and not party", "a role for no party",
    ]  # fmt: skip


def test_every_type_and_status_is_there() -> None:
    there = {(one.deal_type, one.status) for one in load_cases()}
    assert there == {(kind, status) for kind in DEAL_TYPES for status in STATUSES[:-1]} | {("none", "none")}


def test_all_right() -> None:
    scores = score([case(), case(**SILENT)], lambda one: () if one.silent else (RIGHT,))
    assert (scores.fire_f1, scores.whole_f1, scores.other_named.value) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("answer", "parties", "deal_type", "status"),
    [
        (Answer(("Asahi",), "partnership", "announced"), 0, 1, 1),
        (Answer(("Asahi", "Brenntag", "Clariant"), "partnership", "announced"), 0, 1, 1),
        (Answer(("Asahi", "Brenntag"), "licensing", "announced"), 1, 0, 1),
        (Answer(("Asahi", "Brenntag"), "partnership", "rumour"), 1, 1, 0),
    ],
)
def test_each_axis_is_counted_alone(answer: Answer, parties: int, deal_type: int, status: int) -> None:
    scores = score([case()], lambda _: (answer,))
    assert (scores.parties.hits, scores.deal_type.hits, scores.status.hits) == (parties, deal_type, status)
    assert scores.whole_precision.hits == scores.whole_recall.hits == 0
    assert scores.fire_precision.value == scores.fire_recall.value == 1.0


def test_false_alarm_costs_precision_and_silence_costs_recall() -> None:
    alarm = score([case(), case(**SILENT)], lambda _: (RIGHT,))
    assert (alarm.fire_precision.value, alarm.fire_recall.value, alarm.whole_precision.value) == (0.5, 1.0, 0.5)
    silence = score([case(), case(**SILENT)], lambda _: ())
    assert (silence.fire_recall.hits, silence.whole_recall.hits, silence.whole_recall.of) == (0, 0, 1)


def test_optional_parties_other_events_and_ambiguous_cases() -> None:
    lenient = case(optional_parties=("Clariant",), other_events=({"parties": ["Dow"]},))
    more = Answer(("Asahi", "Brenntag", "Clariant"), "partnership", "announced")
    other, spare = Answer(("Dow",), "investment", "rumour"), Answer(("Evonik",), "investment", "rumour")
    scores = score([lenient, case(ambiguous=True)], lambda _: (more, other, spare))
    assert (scores.whole_recall.hits, scores.whole_recall.of, scores.extra) == (1, 1, 1)


def test_naming_of_the_unwatched_side() -> None:
    both = case(watch=("Asahi", "Brenntag"))
    scores = score([case(), both], lambda _: (Answer(("Asahi",), "partnership", "announced"),))
    assert (scores.other_named.hits, scores.other_named.of) == (0, 1)


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("The Halverson Gear Co.", "halverson gear"), ("Mitsui & Co., Ltd.", "mitsui &"), ("Coca-Cola", "coca cola"),
        ("Lloyd\u2019s", "lloyd"), ("U.S. Navy", "us navy"), ("SE", "se"),
    ],
)  # fmt: skip
def test_plain(name: str, bare: str) -> None:
    assert plain(name) == bare
