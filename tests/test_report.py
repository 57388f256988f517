"""Exports that other programs read: parsed by other programs, and by our own reader of feeds."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import feedparser
import polars as pl
import pytest

from monitor.models import DEAL_TYPES, Event
from monitor.report import (
    CAPITAL_IQ,
    COLUMNS,
    choose,
    closing,
    codes,
    frame,
    to_atom,
    to_csv,
    to_ical,
    to_json_feed,
    to_json_lines,
    to_parquet,
)  # fmt: skip
from tests.deals import NOW, claim, on, told

HOSTILE = tomllib.loads((Path(__file__).parent / "data" / "alerts" / "hostile.toml").read_text("utf-8"))["titles"]
LIFE = told(
    claim("Vela:acquirer, Orm:target", "acquisition", value="$3bn", watched=("Vela",), outlet="Reuters"),
    claim(
        "Vela:acquirer, Orm:target", "acquisition", "announced", day=3, sourcing="party_statement", terms=("all cash",)
    ),
    claim("Vela:acquirer, Orm:target", "acquisition", "announced", day=4),
    claim("Meta, Google", "licensing", day=5),
)


def hostile(words: str) -> Event:
    (event,) = told(claim("Vela, Orm", title=words, evidence=words, value=words, outlet=words, terms=(words,)))
    return replace(event, parties=("Vela", words), what=words, origins=(words,))


@pytest.mark.parametrize(
    ("deal_type", "status", "before", "expected"),
    [
        ("acquisition", "rumour", "", (65, "Rumour", "acquired_by")),
        ("acquisition", "expired", "rumour", (65, "Rumour - Expired", "acquired_by")),
        ("acquisition", "denied", "rumour", (65, "Rumour - Withdrawn", "acquired_by")),
        ("acquisition", "announced", "", (80, "Announced", "acquired_by")),
        ("acquisition", "completed", "announced", (81, "Completed", "acquired_by")),
        ("acquisition", "terminated", "announced", (82, "Withdrawn", "acquired_by")),
        ("acquisition", "terminated", "rumour", (82, "Rumour - Withdrawn", "acquired_by")),
        ("investment", "rumour", "", (65, "Rumour", "shareholder_of")),
        ("investment", "announced", "", (83, "Announced", "shareholder_of")),
        ("partnership", "announced", "", (22, "Announced", "collaboration")),
        ("licensing", "rumour", "", (22, "Rumour", "collaboration")),
        ("joint_venture", "completed", "", (22, "Completed", "collaboration")),
        ("supply_contract", "announced", "", (23, "Announced", "client_of")),
    ],
)
def test_codes(deal_type: Any, status: Any, before: str, expected: tuple[int, str, str]) -> None:
    event = replace(LIFE[0], deal_type=deal_type, status=status, status_before=before)
    got = codes(event)
    assert (got.capital_iq, got.zephyr, got.core) == expected
    assert got.capital_iq_name == CAPITAL_IQ[got.capital_iq]


def test_every_type_and_status_has_codes() -> None:
    for deal_type in DEAL_TYPES:
        for status in ("rumour", "announced", "completed", "denied", "terminated", "expired"):
            assert codes(replace(LIFE[0], deal_type=deal_type, status=status)).capital_iq in CAPITAL_IQ
    assert codes(replace(LIFE[0], roles=())).core == "merged_with"


def test_csv_json_lines_and_parquet_hold_the_same() -> None:
    from_csv = list(csv.DictReader(io.StringIO(to_csv(LIFE), newline="")))
    from_json = [json.loads(line) for line in to_json_lines(LIFE).splitlines()]
    from_parquet = pl.read_parquet(io.BytesIO(to_parquet(LIFE)))
    assert list(from_csv[0]) == list(from_json[0]) == from_parquet.columns == list(COLUMNS)
    assert len(from_csv) == len(from_json) == from_parquet.height == len(LIFE)
    assert from_csv[0]["parties"] == "Vela; Orm"
    assert from_json[0]["parties"] == from_parquet["parties"].to_list()[0] == ["Vela", "Orm"]
    assert from_parquet["value_number"].to_list()[0] == from_json[0]["value_number"] == 3e9
    assert from_parquet["changed_at"].to_list()[0] == LIFE[0].changed_at
    assert from_json[1]["status_before"] == "rumour"
    assert from_json[2]["change"] == ""


def test_an_export_of_nothing_has_its_columns() -> None:
    assert frame([]).columns == list(COLUMNS)
    assert to_csv([]).strip().split(",") == list(COLUMNS)
    assert to_json_lines([]) == ""


def test_columns_are_documented() -> None:
    assert all(words for _, words in COLUMNS.values())


def test_columns_are_stable() -> None:
    """Others rely on them: a column may be added at the end, nothing else."""
    known = (
        "event_id text, version number, changed_at time, change text, headline text, parties list, roles list, "
        "watched list, deal_type text, status text, status_before text, evidence_level text, origins list, "
        "outlets list, value text, value_number real, value_currency text, terms list, what text, sentence text, "
        "title text, url text, published time, first_seen time, capital_iq number, zephyr text, core text"
    )
    assert ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items()).startswith(known)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_no_formula_and_no_markup(words: str) -> None:
    event = hostile(words)
    (row,) = list(csv.reader(io.StringIO(to_csv([event]), newline="")))[1:]
    assert len(row) == len(COLUMNS)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert all("\n" not in cell for cell in row)
    parsed = feedparser.parse(to_atom([event], "Deals"))
    assert not parsed.bozo
    assert len(parsed.entries) == 1
    assert parsed.entries[0].link == event.url
    (item,) = json.loads(to_json_feed([event], "Deals"))["items"]
    assert "\u202e" not in item["title"] and "\x1b" not in item["content_text"]
    ical = to_ical([replace(event, status="announced", terms=(f"{words} expected to close in June 2027",))], NOW)
    assert ical.count("BEGIN:") == 2
    assert all(len(line.encode()) <= 75 for line in ical.split("\r\n"))


def test_feeds_hold_the_changes_newest_first() -> None:
    chosen = choose(LIFE)
    assert [e.change for e in chosen] == ["confirmed", "new", "new"]
    assert [e.parties for e in choose(LIFE, companies=["meta"])] == [("Meta", "Google")]
    assert len(choose(LIFE, deal_types=["acquisition"])) == 2
    assert len(choose(LIFE, limit=1)) == 1
    assert choose([replace(LIFE[0], baseline=True)]) == []


def test_atom_and_json_feed_are_read_by_others_and_by_ourselves() -> None:
    from monitor.feeds import parse_feed

    chosen = choose(LIFE)
    atom = to_atom(chosen, "Deals of Vela", "https://monitor.example/atom.xml")
    document = to_json_feed(chosen, "Deals of Vela", "https://monitor.example/feed.json")
    parsed = feedparser.parse(atom)
    assert not parsed.bozo
    assert parsed.feed.title == "Deals of Vela"
    assert parsed.entries[0].title == "Confirmed: acquisition of Orm by Vela, $3bn"
    assert {tag.term for tag in parsed.entries[0].tags} >= {"confirmed", "acquisition", "announced", "Vela"}
    for body, kind in ((atom, "application/atom+xml"), (document.encode(), "application/feed+json")):
        ours = parse_feed(body, kind, "https://monitor.example/")
        assert [entry.title for entry in ours.entries] == [entry.title for entry in parsed.entries]
        assert len({entry.guid for entry in ours.entries}) == 3
    item = json.loads(document)["items"][0]
    assert item["_deal_monitor"]["capital_iq"] == 80
    assert item["date_published"].endswith("Z")


def test_an_empty_feed_is_a_good_one() -> None:
    assert not feedparser.parse(to_atom([], "Deals", now=NOW)).bozo
    assert json.loads(to_json_feed([], "Deals"))["items"] == []


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("expected to close in the first quarter of 2027", (2027, 1, 1), (2027, 3, 31)),
        ("is expected to close in Q4 2026", (2026, 10, 1), (2026, 12, 31)),
        ("The transaction should be completed in the second half of 2026", (2026, 7, 1), (2026, 12, 31)),
        ("will close by the end of 2026", (2026, 12, 1), (2026, 12, 31)),
        ("to be finalised in early 2027", (2027, 1, 1), (2027, 4, 30)),
        ("expects completion in mid-2027", (2027, 5, 1), (2027, 8, 31)),
        ("closing in H1 2027", (2027, 1, 1), (2027, 6, 30)),
        ("expected to close in March 2027", (2027, 3, 1), (2027, 3, 31)),
        ("expected to close on Feb. 14, 2028", (2028, 2, 14), (2028, 2, 14)),
        ("to close on 29 February 2028", (2028, 2, 29), (2028, 2, 29)),
    ],
)
def test_expected_closings(words: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    event = replace(LIFE[1], terms=(words,))
    found = closing(event)
    assert found is not None
    assert (found.first, found.last) == (date(*first), date(*last))


@pytest.mark.parametrize(
    "words",
    ["", "all cash", "announced in March 2027", "closed 5% higher", "to close soon", "to close on 31 February 2027",
     "to close in the third half of 2027", "In 2027 the shop will close"],
)  # fmt: skip
def test_no_expected_closing(words: str) -> None:
    assert closing(replace(LIFE[1], terms=(words,), evidence="")) is None


def test_the_calendar() -> None:
    event = replace(LIFE[1], terms=("expected to close in June 2027; subject to approval, of course",))
    text = to_ical([event, LIFE[3], replace(event, status="completed")], on(0))
    unfolded = text.replace("\r\n ", "").split("\r\n")
    assert unfolded[0] == "BEGIN:VCALENDAR"
    assert unfolded.count("BEGIN:VEVENT") == 1
    assert "DTSTART;VALUE=DATE:20270601" in unfolded
    assert "DTEND;VALUE=DATE:20270701" in unfolded
    assert "SUMMARY:Expected closing: acquisition of Orm by Vela" in unfolded
    assert any("subject to approval\\, of course" in line for line in unfolded)
    assert text.endswith("END:VCALENDAR\r\n")
