"""Which change goes where, and in what words. See also test_outbox.py and test_alerts_hostile.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import (
    FORMS,
    Labels,
    Layouts,
    Section,
    card,
    due,
    explain,
    form_of,
    names,
    quiet,
    render,
    route,
    sample,
    since,
    status,
    subject,
    what,
)
from monitor.config import ChannelConfig
from monitor.errors import ConfigError
from monitor.events import expire, fold
from monitor.models import Event
from tests.deals import NOW, SETTINGS, claim, on, report, told

LILLY = "Eli Lilly:acquirer, Ventyx Biosciences:target"


def channel(**more: Any) -> ChannelConfig:
    return ChannelConfig(**{"name": "desk", "url": "console://"} | more)


def rumour(**more: Any) -> Event:
    base: dict[str, Any] = {
        "deal_type": "acquisition",
        "value": "$1 billion",
        "watched": ("Eli Lilly",),
        "outlet": "Reuters",
    }
    return told(report(LILLY, "The Information", **base | more))[0]


LABELS = Labels(groups={"Eli Lilly": ("pharma",)}, tags={"https://feed.example/a": ("wires",)})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "the channel takes every deal"),
        ({"companies": ["Eli Lilly"]}, "fits companies"),
        ({"companies": ["Ventyx Biosciences"]}, "fits companies"),  # a party, watched or not
        ({"companies": ["Meta"]}, "company is Eli Lilly, Ventyx Biosciences, the channel wants Meta"),
        ({"groups": ["pharma"]}, "fits groups"),
        ({"groups": ["chips"]}, "group is pharma, the channel wants chips"),
        ({"deal_types": ["acquisition", "investment"]}, "fits deal_types"),
        ({"deal_types": ["licensing"]}, "deal type is acquisition"),
        ({"statuses": ["rumour"]}, "fits statuses"),
        ({"statuses": ["announced"]}, "status is rumour"),
        ({"evidence": ["single_origin"]}, "fits evidence"),
        ({"evidence": ["corroborated"]}, "evidence is single_origin"),
        ({"changes": ["new"]}, "the channel takes every deal"),
        ({"changes": ["confirmed"]}, "change is new, the channel wants confirmed"),
        ({"min_value": 5e8}, "fits min_value"),
        ({"min_value": 2e9}, "value is $1 billion, the channel wants 2,000,000,000"),
        ({"feeds": ["wires"]}, "fits feeds"),
        ({"feeds": ["https://feed.example/a"]}, "fits feeds"),
        ({"feeds": ["blogs"]}, "feed is https://feed.example/a, wires, the channel wants blogs"),
        ({"enabled": False}, "the channel is switched off"),
        ({"companies": ["Eli Lilly"], "min_value": 1.0}, "fits companies, min_value"),
    ],
)
def test_routing_and_its_reasons(settings: dict[str, Any], why: str) -> None:
    verdict = route(rumour(feed_url="https://feed.example/a"), channel(**settings), LABELS)
    assert verdict.why.startswith(why)
    assert verdict.goes == why.startswith(("fits", "the channel takes"))


def test_a_value_that_is_not_stated_is_below_every_limit() -> None:
    verdict = route(rumour(value=""), channel(min_value=1.0))
    assert not verdict.goes
    assert "value is not stated" in verdict.why


def test_a_sample_deal_shows_where_alerts_go_and_when() -> None:
    evening = datetime(2026, 3, 2, 23, tzinfo=UTC)
    channels = [
        channel(name="all"),
        channel(name="night", quiet_hours={"start": "22:00", "end": "07:00"}),
        channel(name="daily", mode="digest"),
        channel(name="firm", statuses=["announced"]),
    ]
    assert explain(sample("Meta", evening), channels, evening) == [
        ("all", True, "at once; the channel takes every deal"),
        ("night", True, "after its quiet hours, at 07:00; the channel takes every deal"),
        ("daily", True, "in its digest; the channel takes every deal"),
        ("firm", False, "status is rumour, the channel wants announced"),
    ]
    assert (
        "Rumour: acquisition of Example Ltd by Meta, $1 billion" in render(sample("Meta", evening), None, "text").body
    )


def test_by_default_expiry_is_for_the_digest() -> None:
    (gone,) = expire([rumour()], on(100), SETTINGS)
    assert not route(gone, channel()).goes
    assert route(gone, channel(mode="digest")).goes
    assert not route(gone, channel(mode="digest", changes=["new"])).goes


@pytest.mark.parametrize(
    ("hours", "zone", "moment", "expected"),
    [
        (("22:00", "07:00"), "UTC", "2026-03-02 23:00", True),
        (("22:00", "07:00"), "UTC", "2026-03-02 06:59", True),
        (("22:00", "07:00"), "UTC", "2026-03-02 07:00", False),
        (("22:00", "07:00"), "UTC", "2026-03-02 12:00", False),
        (("22:00", "07:00"), "America/New_York", "2026-03-02 23:00", False),  # 18:00 there
        (("22:00", "07:00"), "America/New_York", "2026-03-03 04:00", True),  # 23:00 there
        (("22:00", "07:00"), "Asia/Tokyo", "2026-03-02 14:00", True),  # 23:00 there
        (("12:00", "13:00"), "UTC", "2026-03-02 12:30", True),
        (("12:00", "12:00"), "UTC", "2026-03-02 12:00", False),
        (("01:30", "02:30"), "Europe/Berlin", "2026-03-29 00:45", True),  # the hour that the clock skips is near
    ],
)
def test_quiet_hours(hours: tuple[str, str], zone: str, moment: str, expected: bool) -> None:
    settings = channel(quiet_hours={"start": hours[0], "end": hours[1]}, time_zone=zone)
    assert quiet(settings, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is expected


def test_quiet_hours_of_a_night_belong_to_the_day_they_begin_on() -> None:
    settings = channel(quiet_hours={"start": "22:00", "end": "07:00", "days": ["fri"]})
    friday = datetime(2026, 3, 6, 23, tzinfo=UTC)
    assert quiet(settings, friday)
    assert quiet(settings, friday + timedelta(hours=7))
    assert not quiet(settings, friday + timedelta(hours=24))
    assert not quiet(settings, friday - timedelta(hours=20))


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parties", "deal_type", "words"),
    [
        (LILLY, "acquisition", "acquisition of Ventyx Biosciences by Eli Lilly"),
        (
            "Vela:acquirer, Kite Cloud:target, Kite:seller",
            "acquisition",
            "acquisition of Kite Cloud by Vela (seller: Kite)",
        ),
        ("A:acquirer, B:acquirer, T:target", "acquisition", "acquisition of T by A and B"),
        ("Kite:target", "acquisition", "acquisition of Kite, buyer not named"),
        ("Vela:acquirer", "acquisition", "acquisition by Vela, target not named"),
        ("Vela, Kite", "acquisition", "merger or acquisition, Vela and Kite"),
        ("Vela:acquirer, Kite:seller", "acquisition", "acquisition by Vela from Kite"),
        ("Kite:seller", "acquisition", "sale by Kite, buyer not named"),
        ("Vela:acquirer, Orm:target, Kite", "acquisition", "acquisition of Orm by Vela, with Kite"),
        ("Vela, Kite", "investment", "investment, Vela and Kite"),
        ("S:investor, O:recipient", "investment", "investment in O by S"),
        ("S:investor, T:investor, O:recipient", "investment", "investment in O by S and T"),
        ("O:recipient", "investment", "investment in O, investor not named"),
        ("C:supplier, V:customer", "supply_contract", "supply contract, from C to V"),
        ("G:licensor, M:licensee", "licensing", "licensing deal, from G to M"),
        ("Meta, Google", "licensing", "licensing deal between Meta and Google"),
        ("A, B, C", "partnership", "partnership between A, B and C"),
        ("A, B", "joint_venture", "joint venture between A and B"),
        ("A", "partnership", "partnership between A and a party not named"),
    ],
)
def test_a_deal_as_a_phrase(parties: str, deal_type: str, words: str) -> None:
    assert what(told(claim(parties, deal_type))[0]) == words


def test_names_in_a_row() -> None:
    assert [names(p) for p in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == ["", "A", "A and B", "A, B and C"]


def test_the_status_says_how_sure_it_is() -> None:
    history = told(
        report(LILLY, "The Information", deal_type="acquisition", outlet="Reuters"),
        report(LILLY, "The Information", deal_type="acquisition", outlet="The Verge", day=0.1),
        report(LILLY, "Bloomberg", deal_type="acquisition", outlet="Bloomberg", day=1),
        claim(LILLY, "acquisition", "denied", sourcing="party_statement", outlet="PR Newswire", day=2),
        claim(LILLY, "acquisition", "announced", sourcing="party_statement", outlet="Business Wire", day=20),
        claim(LILLY, "acquisition", "terminated", outlet="CNBC", day=40),
    )
    assert [status(event) for event in history] == [
        "rumour, per The Information, 1 outlet",
        "rumour, per The Information, 2 outlets",
        "rumour, per The Information and Bloomberg, 2 independent origins, 3 outlets",
        "denied by a party, 4 outlets",
        "announced, confirmed by a party, 5 outlets",
        "called off, confirmed by a party, 6 outlets",
    ]
    (unsourced,) = told(claim("Vela, Orm", outlet="Post"))
    assert status(unsourced) == "rumour, source not named, 1 outlet"
    (fact,) = told(claim("Vela, Orm", status="announced", outlet="Post"))
    assert status(fact) == "announced, 1 outlet"
    (unnamed,) = told(claim("Vela, Orm", sourcing="unnamed_sources", outlet="Post"))
    assert status(unnamed) == "rumour, unnamed sources per Post, 1 outlet"
    many = replace(unnamed, origins=("A", "B", "C", "D"), sourcing="named_report", evidence_level="corroborated")
    assert status(many) == "rumour, per A, B, C and 1 more, 4 independent origins, 1 outlet"


def test_subjects() -> None:
    history = told(
        report(LILLY, "The Information", deal_type="acquisition", value="$1 billion"),
        report(LILLY, "Bloomberg", deal_type="acquisition", day=1),
        claim(LILLY, "acquisition", "announced", sourcing="party_statement", value="$1.5 billion", day=3),
        claim(LILLY, "acquisition", "completed", day=30),
    )
    assert [subject(event) for event in history] == [
        "Rumour: acquisition of Ventyx Biosciences by Eli Lilly, $1 billion",
        "Second origin: acquisition of Ventyx Biosciences by Eli Lilly, $1 billion (rumour)",
        "Confirmed: acquisition of Ventyx Biosciences by Eli Lilly, $1.5 billion",
        "Completed: acquisition of Ventyx Biosciences by Eli Lilly, $1.5 billion",
    ]


def test_a_follow_up_refers_to_the_first_alert_and_says_what_changed() -> None:
    first, second = told(
        report(LILLY, "The Information", deal_type="acquisition", value="$1 billion"),
        claim(LILLY, "acquisition", "announced", sourcing="party_statement", value="$2 billion", day=3),
    )
    first = replace(first, changed_at=on(1))
    assert since(first, None, UTC) == ""
    assert since(second, first, UTC) == (
        "was a rumour, now announced; value: $2 billion (was $1 billion); "
        'first told on 3 Mar 2026 as "Rumour, $1 billion"'
    )
    assert since(second, None, UTC) == (
        "was a rumour, now announced; value: $2 billion (was $1 billion); known since 2 Mar 2026"
    )
    other = replace(first, parties=("Eli Lilly",), roles=("acquirer",))
    assert since(second, other, UTC).endswith('as "Rumour: acquisition by Eli Lilly, target not named, $1 billion"')


def test_an_update_says_in_its_subject_what_is_new() -> None:
    event = replace(rumour(), change="updated", what="new party: Orm")
    assert subject(event).endswith("by Eli Lilly, $1 billion (rumour; new party: Orm)")


@pytest.mark.parametrize(
    ("title", "sentence", "shown"),
    [
        ("EXCLUSIVE-Vela nears deal with Orm -sources", "Vela nears deal with Orm", ""),
        ("Vela nears deal with Orm", "Vela nears deal with Orm.", ""),
        ("Vela nears deal with Orm", "The two are in talks, people said.", "Vela nears deal with Orm"),
        ("Vela nears deal with Orm", "", ""),  # the headline stands for the sentence
    ],
)
def test_a_headline_is_shown_where_it_adds_to_the_sentence(title: str, sentence: str, shown: str) -> None:
    made = card(rumour(title=title, evidence=sentence), None, UTC)
    assert (made.title, made.sentence) == (shown, sentence or title)


def test_days_are_the_readers_days() -> None:
    late = rumour(published=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert card(late, None, ZoneInfo("Asia/Tokyo")).date == "3 Mar 2026"
    assert card(late, None, UTC).date == "2 Mar 2026"


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("console://", "text"), ("json://h/", "text"), ("mailto://h", "mail"), ("mailtos://h", "mail"),
        ("slack://a", "slack"), ("mmost://h/t", "markdown"), ("discord://a/b", "markdown"),
        ("workflows://h/w/s", "markdown"), ("ntfy://t", "short"), ("tgram://a/b", "text"),
    ],
)  # fmt: skip
def test_the_form_of_a_channel(url: str, form: str) -> None:
    assert form_of(url) == form


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_what_a_desk_needs(form: Any) -> None:
    first, second = told(
        report(LILLY, "The Information", deal_type="acquisition", outlet="Reuters", url="https://reuters.example/a"),
        claim(LILLY, "acquisition", "announced", sourcing="party_statement", value="$1.2 billion", day=3,
              evidence="Eli Lilly said it would buy Ventyx.", outlet="Wire", url="https://wire.example/b"),
    )  # fmt: skip
    made = render(second, first, form)
    for text in {made.body, made.html} - {""}:
        for words in ("announced, confirmed by a party", "Eli Lilly said it would buy Ventyx.", "https://wire.example/b",
                      "was a rumour, now announced", "first told on 26 Nov 2028"):  # fmt: skip
            assert words in text
    assert "$1.2 billion" in made.subject + made.body
    assert ("<table" in made.html) == (form == "mail")
    assert made.subject == "Confirmed: acquisition of Ventyx Biosciences by Eli Lilly, $1.2 billion"


def test_a_layout_of_the_users_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "alert.text.j2").write_text("MINE {{ card.names }}", "utf-8")
    layouts = Layouts(folder=tmp_path)
    assert render(rumour(), None, "text", layouts).body == "MINE Eli Lilly and Ventyx Biosciences"
    assert "Status:" in render(rumour(), None, "slack", layouts).body
    layouts.check()


@pytest.mark.parametrize("bad", ["{{ card.nothing }}", "{{ 1 / 0 }}", "{% for %}", "{{ card.__class__.__mro__ }}"])
def test_a_slip_in_a_users_layout_loses_no_alert(bad: str, tmp_path: Path) -> None:
    (tmp_path / "alert.text.j2").write_text(bad, "utf-8")
    layouts = Layouts(folder=tmp_path)
    event = rumour()
    assert render(event, None, "text", layouts).body == render(event, None, "text").body
    assert len(layouts.failures) == 1
    assert "alert.text.j2" in layouts.failures[0]


def test_wrong_layouts_are_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        Layouts(folder=tmp_path / "none").check()
    (tmp_path / "alert.txt.j2").write_text("x", "utf-8")
    with pytest.raises(ConfigError, match="no message uses"):
        Layouts(folder=tmp_path).check()
    (tmp_path / "alert.txt.j2").rename(tmp_path / "alert.text.j2")
    (tmp_path / "alert.text.j2").write_text("one\n{% if %}\n", "utf-8")
    with pytest.raises(ConfigError, match="line 2"):
        Layouts(folder=tmp_path).check()


def test_a_digest_that_does_not_fit_counts_what_it_leaves_out() -> None:
    cards = tuple(card(rumour(number=n), None, UTC) for n in range(5000, 5200))
    for form in FORMS:
        title, body, html = Layouts().digest("200 changes", [Section("New", cards)], form)
        shown = body.count("Rumour: ")
        assert shown <= 200
        if shown < 200:
            assert f"… and {200 - shown} more" in body
        assert (len(body) <= 2000) or form not in ("markdown", "short")
        assert title == "200 changes"
        assert html.count("<li") in (0, 200)


def test_baseline_and_sightings_are_nobodys_alert() -> None:
    old = rumour(baseline=True)
    seen = fold([rumour()], [claim(LILLY, "acquisition", day=1)], NOW, SETTINGS)
    assert due([old, *seen], [channel()], [], NOW) == []
    assert len(due([replace(old, baseline=False)], [channel()], [], NOW)) == 1
