"""The change matrix, the news of a claim, time, merging and splitting. Identity is in test_events_identity.py."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import RuleError
from monitor.events import FoldSettings, amount, expire, fold, load_rules, merge, source_key, split, wanted_keys
from monitor.events.rules import CLAIMED, STATUSES, default_rules
from monitor.models import Claim, Event
from tests.deals import NOW, SETTINGS, changes, claim, latest, on, report, told

SHIPPED = (files("monitor") / "rules" / "changes.toml").read_text(encoding="utf-8")

# known status, claimed status -> change by a claim that is: later by a new origin | a day later, same origin | older
MATRIX = {
    ("rumour", "rumour"): ("corroborated", None, "corroborated"),
    ("rumour", "announced"): ("confirmed", "confirmed", "confirmed"),
    ("rumour", "completed"): ("completed", "completed", "completed"),
    ("rumour", "denied"): ("denied", "denied", None),
    ("rumour", "terminated"): ("terminated", "terminated", None),
    ("announced", "rumour"): (None, None, None),
    ("announced", "announced"): (None, None, None),
    ("announced", "completed"): ("completed", "completed", "completed"),
    ("announced", "denied"): ("denied", "denied", None),
    ("announced", "terminated"): ("terminated", "terminated", None),
    ("completed", "rumour"): (None, None, None),
    ("completed", "announced"): (None, None, None),
    ("completed", "completed"): (None, None, None),
    ("completed", "denied"): (None, None, None),
    ("completed", "terminated"): ("terminated", "terminated", None),
    ("denied", "rumour"): ("revived", None, None),
    ("denied", "announced"): ("confirmed", "confirmed", None),
    ("denied", "completed"): ("completed", "completed", None),
    ("denied", "denied"): (None, None, None),
    ("denied", "terminated"): ("terminated", None, None),
    ("terminated", "rumour"): ("revived", None, None),
    ("terminated", "announced"): ("revived", None, None),
    ("terminated", "completed"): ("completed", None, None),
    ("terminated", "denied"): (None, None, None),
    ("terminated", "terminated"): (None, None, None),
    ("expired", "rumour"): ("revived", "revived", None),
    ("expired", "announced"): ("confirmed", "confirmed", "confirmed"),
    ("expired", "completed"): ("completed", "completed", "completed"),
    ("expired", "denied"): ("denied", "denied", None),
    ("expired", "terminated"): ("terminated", "terminated", None),
}


def known(status: str) -> Event:
    """A deal of Vela and Orm that came to this status on day 0, first told of by Bloomberg."""
    first = report("Vela, Orm", "Bloomberg", status="rumour" if status == "expired" else status)
    event = told(first)[0]
    return replace(event, status="expired") if status == "expired" else event


@pytest.mark.parametrize(("before", "claimed"), [(b, c) for b in STATUSES for c in CLAIMED])
def test_every_cell_of_the_matrix(before: str, claimed: str) -> None:
    ways = (("Reuters", 1), ("Bloomberg News", 1), ("Reuters", -1))
    got = []
    for origin, day in ways:
        versions = fold([known(before)], [report("Vela, Orm", origin, status=claimed, day=day)], NOW, SETTINGS)
        assert len(versions) == 1
        (event,) = versions
        assert event.version == 2
        assert event.status_before == before
        moved = event.change not in (None, "corroborated", "updated")
        assert event.status == (claimed if moved else before)
        got.append(event.change)
    assert tuple(got) == MATRIX[before, claimed]


@pytest.mark.parametrize("claimed", CLAIMED)
def test_an_unknown_deal_is_new_whatever_its_status(claimed: str) -> None:
    (event,) = told(claim("Vela, Orm", status=claimed))
    assert (event.change, event.status, event.status_before, event.version) == ("new", claimed, "", 1)


@pytest.mark.parametrize("before", ["denied", "terminated"])
def test_a_dead_story_comes_back_after_a_week_even_by_its_old_origin(before: str) -> None:
    assert changes(fold([known(before)], [report("Vela, Orm", "Bloomberg", day=8)], NOW, SETTINGS)) == ["revived"]


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ('announced = "confirmed"\n', "", '"announced" is missing'),
        ("[matrix.expired]", "[matrix.gone]", 'unknown key "gone"'),
        ('announced = "confirmed"', 'announced = "confirm"', '"announced = confirm" is not known'),
        ('"denied if later"', '"denied if late"', "if late"),
        ('rumour = "repeat"', 'rumour = "new"', "contradicts"),
        ('rumour = "new"', 'rumour = "repeat"', "contradicts"),
        ("short_days = 7", "short_days = -1", "no number"),
        ("short_days = 7", "short_day = 7", 'unknown key "short_day"'),
        ("fresh_days = 7", "fresh_days = true", "no number"),
        ("licensing = []", 'licensing = ["partnership"]', "circles"),
        ("licensing = []", 'licensing = ["licence"]', "cannot become"),
        ("[hearsay]", "[hearsays]", "unknown key"),
        ("sources = [", "source = [", "unknown key"),
        ("[conditions]", "[conditions", "not TOML"),
        ('settled = ["announced"', 'settled = "announced"\nother = ["announced"', "unknown key"),
        ('pending = ["rumour", "announced", "expired"]', "pending = 3", "wrong kind"),
    ],
)
def test_loading_refuses_a_wrong_rule_file(wrong: str, right: str, words: str) -> None:
    assert wrong in SHIPPED
    with pytest.raises(RuleError) as caught:
        load_rules(SHIPPED.replace(wrong, right, 1), "mine.toml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("mine.toml: ")


def test_a_rule_changed_changes_what_is_news() -> None:
    rules = load_rules(SHIPPED.replace('rumour = "stale" ', 'rumour = "revived" ', 1))
    versions = fold([known("announced")], [claim("Vela, Orm", day=1)], NOW, FoldSettings(rules=rules))
    assert changes(versions) == ["revived"]


@pytest.mark.parametrize("status", ["rumour", "terminated"])
def test_what_a_party_says_after_a_denial_is_news_at_once(status: str) -> None:
    said = claim("Vela, Orm", status=status, sourcing="party_statement", day=1)
    assert [e.status for e in fold([known("denied")], [said], NOW, SETTINGS) if e.change] == [status]
    told_again = claim("Vela, Orm", status="announced", sourcing="party_statement", day=1)
    assert changes(fold([known("terminated")], [told_again], NOW, SETTINGS)) == []


# --- origins and evidence ---------------------------------------------------------------------------------------------


def test_outlets_that_repeat_one_report_are_one_origin() -> None:
    versions = told(
        report("Vela, Orm", "The Information", outlet="Reuters"),
        report("Vela, Orm", "the Information", outlet="TechCrunch", day=1),
        report("Vela, Orm", "theinformation.com", outlet="The Verge", day=1),
        claim("Vela, Orm", outlet="Engadget", day=2),
    )
    assert changes(versions) == ["new"]
    event = versions[-1]
    assert event.origins == ("The Information",)
    assert event.outlets == ("Reuters", "TechCrunch", "The Verge", "Engadget")
    assert event.evidence_level == "single_origin"
    assert event.claim_count == 4


def test_a_second_independent_origin_is_told_once() -> None:
    versions = told(
        report("Vela, Orm", "The Information"),
        claim("Vela, Orm", sourcing="unnamed_sources", outlet="Reuters", day=1),
        report("Vela, Orm", "Bloomberg", day=2),
    )
    assert changes(versions) == ["new", "corroborated"]
    assert versions[1].what == "second origin: Reuters"
    assert versions[-1].origins == ("The Information", "Reuters", "Bloomberg")
    assert versions[-1].evidence_level == "corroborated"


def test_an_outlet_that_names_no_source_is_no_second_origin() -> None:
    """It may have read it elsewhere. The first that does name one replaces it as the origin."""
    versions = told(
        claim("Vela, Orm", outlet="Trade Post"),
        claim("Vela, Orm", outlet="Daily Post", day=1),
        report("Vela, Orm", "Bloomberg", day=2),
    )
    assert changes(versions) == ["new"]
    assert versions[0].origins == ("Trade Post",)
    assert versions[-1].origins == ("Bloomberg",)
    assert versions[-1].evidence_level == "single_origin"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Vela is reportedly in talks with Orm.", ["new"]),
        ("Vela shares jump on rumours of an Orm deal.", ["new"]),
        ("Vela is reportedly in talks with Orm, two people familiar with the matter told us.", ["new", "corroborated"]),
        ("Vela in talks with Orm -sources", ["new", "corroborated"]),
        ("Vela in talks with Orm", ["new", "corroborated"]),
    ],
)
def test_hearsay_is_no_origin(sentence: str, expected: list[str]) -> None:
    second = claim("Vela, Orm", sourcing="unnamed_sources", outlet="Post", evidence=sentence, day=1)
    versions = told(report("Vela, Orm", "The Information"), second)
    assert changes(versions) == expected
    assert len(versions[-1].origins) == len(expected)


def test_a_sentence_that_cites_a_known_house_brings_no_origin_of_its_own() -> None:
    first = claim("Vela, Orm", sourcing="unnamed_sources", outlet="Pharma Beacon")
    words = "Vela is in talks with Orm, Pharma Beacon reported, citing people familiar with the matter."
    second = claim("Vela, Orm", sourcing="unnamed_sources", outlet="Copperbyte", evidence=words, day=1)
    own = claim("Vela, Orm", sourcing="unnamed_sources", outlet="Copperbyte", evidence="People told Copperbyte.", day=1)
    assert changes(told(first, second)) == ["new"]
    assert changes(told(first, own)) == ["new", "corroborated"]


def test_a_copy_of_a_wire_story_is_no_second_origin() -> None:
    words = "Vela is in talks with Orm, people familiar with the matter said."
    versions = told(
        claim("Vela, Orm", sourcing="unnamed_sources", outlet="Reuters", evidence=words),
        claim("Vela, Orm", sourcing="unnamed_sources", outlet="Yahoo", evidence=words.upper(), day=0.1),
    )
    assert changes(versions) == ["new"]
    assert versions[-1].origins == ("Reuters",)


def test_a_party_that_confirms_talks_is_news() -> None:
    versions = told(
        report("Vela, Orm", "Bloomberg"),
        claim("Vela, Orm", sourcing="party_statement", day=1),
        claim("Vela, Orm", sourcing="party_statement", day=2),
    )
    assert changes(versions) == ["new", "corroborated"]
    assert versions[1].what == "a party confirms the talks"
    assert versions[1].evidence_level == "confirmed_by_party"


def test_evidence_follows_the_life_of_a_deal() -> None:
    versions = told(
        report("Vela, Orm", "Bloomberg"),
        claim("Vela, Orm", status="denied", sourcing="party_statement", day=1),
        report("Vela, Orm", "Reuters", day=10),
        claim("Vela, Orm", status="announced", sourcing="party_statement", day=20),
        claim("Vela, Orm", status="announced", day=21),
        claim("Vela, Orm", status="completed", day=60),
        claim("Vela, Orm", status="terminated", day=90),
    )
    assert [(e.change, e.evidence_level) for e in versions] == [
        ("new", "single_origin"),
        ("denied", "denied_by_party"),
        ("revived", "corroborated"),
        ("confirmed", "confirmed_by_party"),
        (None, "confirmed_by_party"),
        ("completed", "confirmed_by_party"),
        ("terminated", "confirmed_by_party"),
    ]
    assert all(len(latest(versions)) == 1 for _ in versions)


def test_a_denial_by_sources_is_not_one_by_a_party() -> None:
    versions = told(report("Vela, Orm", "Bloomberg"), report("Vela, Orm", "Reuters", status="denied", day=1))
    assert versions[-1].status == "denied"
    assert versions[-1].evidence_level == "corroborated"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Information", "the information"), ("Bloomberg News", "Bloomberg"), ("www.bloomberg.com", "Bloomberg"),
        ("Wall Street Journal", "The Wall Street Journal"), ("WSJ", "The Wall Street Journal"), ("wsj.com", "WSJ"),
        ("theverge.com", "The Verge"), ("NBC News", "nbcnews.com"), ("https://www.ft.com/x", "Financial Times"),
        ("CNBC", "cnbc.com"), ("bbc.co.uk", "BBC News"), ("finance.yahoo.com", "Yahoo Finance"),
    ],
)  # fmt: skip
def test_spellings_of_one_house(one: str, other: str) -> None:
    origins = default_rules().origins
    assert source_key(one, origins) == source_key(other, origins)


@pytest.mark.parametrize(
    ("one", "other"), [("Bloomberg", "Reuters"), ("The Information", "Information Age"), ("FT", "WSJ")]
)
def test_names_of_two_houses(one: str, other: str) -> None:
    origins = default_rules().origins
    assert source_key(one, origins) != source_key(other, origins)


# --- what else is news ------------------------------------------------------------------------------------------------


def test_a_party_named_later_is_an_update() -> None:
    versions = told(claim("Vela:target", "acquisition"), claim("Orm:acquirer, Vela:target", "acquisition", day=30))
    assert changes(versions) == ["new", "updated"]
    assert versions[-1].what == "new party: Orm"
    assert versions[-1].parties == ("Vela", "Orm")
    assert versions[-1].roles == ("target", "acquirer")
    assert set(wanted_keys([claim("Orm")])) & set(versions[-1].lookup)


def test_a_company_watched_since_is_watched_in_deals_known_before() -> None:
    versions = told(claim("Vela, Orm", watched=("Vela",)), claim("Orm, Vela", day=1, watched=("Orm", "Vela")))
    assert versions[-1].watched == ("Vela", "Orm")


def test_the_article_behind_a_change_is_the_one_shown() -> None:
    versions = told(
        claim("Vela, Orm", evidence="First.", title="One", outlet="A"),
        claim("Vela, Orm", status="announced", evidence="Second.", title="Two", outlet="B", day=1),
        claim("Vela, Orm", status="announced", evidence="Third.", title="Three", outlet="C", day=2),
    )
    assert [(e.evidence, e.title, e.outlet) for e in versions[1:]] == [("Second.", "Two", "B")] * 2
    assert versions[-1].published == on(1)
    assert len(versions[-1].urls) == 3


def test_a_party_in_passing_is_not_added() -> None:
    passing = claim("Vela, Orm, Kite", "partnership", "announced", day=1, in_lead=False)
    versions = told(claim("Vela, Orm", "partnership", "announced"), passing)
    assert changes(versions) == ["new"]
    assert versions[-1].parties == ("Vela", "Orm")


@pytest.mark.parametrize(
    ("sourcing", "values", "expected"),
    [
        ("party_statement", ("", "$2 billion"), ["new", "updated"]),
        ("named_report", ("$2 billion", "$3 billion"), ["new", "updated"]),
        ("named_report", ("$2 billion", "$2.1bn"), ["new"]),  # rounded
        ("named_report", ("$3 billion", "$3.9 billion"), ["new"]),  # by less than a quarter of the larger
        ("unattributed", ("", "$2 billion"), ["new"]),  # a passer-by cannot make news of a sum
        ("unattributed", ("$2 billion", "$9 billion"), ["new"]),
        ("party_statement", ("", "27% stake"), ["new"]),  # no sum of money
        ("party_statement", ("$2 billion", "€2 billion"), ["new", "updated"]),  # another currency: not comparable
    ],
)
def test_a_value_that_is_new_or_moves(sourcing: str, values: tuple[str, str], expected: list[str]) -> None:
    first = claim("Vela, Orm", status="announced", sourcing="party_statement", value=values[0])
    second = claim("Vela, Orm", status="announced", sourcing=sourcing, origin="X", value=values[1], day=3)
    versions = told(first, second)
    assert changes(versions) == expected
    if len(expected) == 2:
        assert values[1] in versions[-1].what
        assert versions[-1].value == values[1]


def test_a_silent_first_value_is_kept_for_the_record() -> None:
    versions = told(claim("Vela, Orm"), claim("Vela, Orm", value="$1 billion", day=1))
    assert changes(versions) == ["new"]
    assert versions[-1].value == "$1 billion"


def test_a_type_made_precise_by_somebody_new_is_an_update_and_by_a_retelling_is_not() -> None:
    first = report("Vela, Orm", "The Information")
    retold = report("Vela, Orm", "The Information", deal_type="licensing", day=1)
    fresh = report("Vela, Orm", "Reuters", deal_type="licensing", day=1)
    back = report("Vela, Orm", "Bloomberg", day=2)
    assert changes(told(first, retold)) == ["new"]
    assert latest(told(first, retold)).popitem()[1].deal_type == "licensing"
    versions = told(first, fresh, back)
    assert changes(versions) == ["new", "updated"]
    assert "type: licensing (was partnership)" in versions[1].what
    assert "second origin: Reuters" in versions[1].what
    assert versions[-1].deal_type == "licensing"  # and does not become vague again


def test_an_expanded_name_replaces_a_short_one() -> None:
    versions = told(claim("Lilia, Ventyx"), claim("Lilia, Ventyx Biosciences", day=1))
    assert changes(versions) == ["new"]
    assert versions[-1].parties == ("Lilia", "Ventyx Biosciences")


@pytest.mark.parametrize(
    ("text", "number", "currency"),
    [
        ("$10 billion", 10e9, "USD"), ("$5.4B", 5.4e9, "USD"), ("more than $5 billion", 5e9, "USD"),
        ("€1.2bn", 1.2e9, "EUR"), ("£650m", 650e6, "GBP"), ("US$3 million", 3e6, "USD"), ("$1,250,000", 1.25e6, "USD"),
        ("2.5 billion euros", 2.5e9, "EUR"), ("Rs 500 crore", 5e9, "INR"), ("$1 trillion", 1e12, "USD"),
        ("SEK 4 billion", 4e9, "SEK"), ("$200 million to $300 million", 300e6, "USD"), ("40 million shares", 40e6, ""),
        ("800 million Swiss francs", 800e6, ""),
    ],
)  # fmt: skip
def test_amounts(text: str, number: float, currency: str) -> None:
    got = amount(text)
    assert got is not None
    assert got.number == pytest.approx(number)
    assert got.currency == currency


@pytest.mark.parametrize(
    "text", ["", "undisclosed", "27% stake", "in 2025", "ten years", "$", "0", "$42 per share", "$5.4"]
)
def test_no_amount(text: str) -> None:
    assert amount(text) is None


# --- baseline, time, hands --------------------------------------------------------------------------------------------


def test_baseline_claims_make_baseline_versions_and_later_news_is_alerted() -> None:
    first = told(claim("Vela, Orm", baseline=True))
    assert first[0].baseline
    repeat, confirmed = fold(
        first, [claim("Vela, Orm", day=1), claim("Vela, Orm", status="announced", day=2)], NOW, SETTINGS
    )
    assert repeat.baseline and repeat.change is None
    assert not confirmed.baseline and confirmed.change == "confirmed"


def test_a_new_feed_can_bring_news_of_a_deal_that_is_followed() -> None:
    versions = told(claim("Vela, Orm"), claim("Vela, Orm", status="announced", day=3, baseline=True))
    assert changes(versions) == ["new", "confirmed"]
    assert not versions[-1].baseline


def test_rumours_expire() -> None:
    rumour, firm = told(claim("Vela, Orm"), claim("Vela, Kite", status="announced"))
    assert expire([rumour, firm], on(89), SETTINGS) == []
    (gone,) = expire([rumour, firm], on(91), SETTINGS)
    assert (gone.change, gone.status, gone.status_before, gone.version) == ("expired", "expired", "rumour", 2)
    assert expire([gone], on(400), SETTINGS) == []
    assert changes(fold([gone], [claim("Vela, Orm", day=92)], NOW, SETTINGS)) == ["revived"]


def test_a_baseline_rumour_expires_in_silence() -> None:
    (rumour,) = told(claim("Vela, Orm", baseline=True))
    (gone,) = expire([rumour], on(91), SETTINGS)
    assert gone.baseline


def test_undated_and_future_articles_count_from_when_they_were_read() -> None:
    first = claim("Vela, Orm", published=None, read_at=on(3))
    second = claim("Vela, Orm", published=NOW + timedelta(days=400), read_at=on(4))
    versions = told(first, second)
    assert versions[0].first_seen == on(3)
    assert versions[-1].last_claim == on(4)


def test_merging_leaves_a_tombstone_and_later_claims_find_the_living() -> None:
    one, other = told(claim("Vela:target", "acquisition"), claim("Orm:acquirer, Vela Labs", "acquisition", day=300))
    merged, grave = merge(one, other, NOW)
    assert grave.merged_into == merged.event_id == one.event_id
    assert merged.parties == ("Vela", "Orm")
    assert merged.change is None and grave.change is None
    assert merged.claim_count == 2
    after = fold([merged, grave], [claim("Orm, Vela", "acquisition", "announced", day=301)], NOW, SETTINGS)
    assert [e.event_id for e in after] == [one.event_id]
    again = replace(claim("Orm, Vela Labs", "acquisition"), claim_key=other.claim_keys[0])
    assert fold([merged, grave], [again], NOW, SETTINGS) == []
    with pytest.raises(ValueError, match="living"):
        merge(merged, grave, NOW)


def test_splitting_gives_each_deal_its_claims() -> None:
    claims = [
        claim("Vela, Orm"),
        claim("Vela, Orm", status="announced", day=1),
        claim("Vela, Orm", day=50, value="$1bn"),
    ]
    event = told(*claims)[-1]
    kept, fresh = split(event, claims, {claims[2].claim_key}, NOW, SETTINGS)
    assert (kept.event_id, kept.version, kept.status) == (event.event_id, event.version + 1, "announced")
    assert kept.claim_keys == (claims[0].claim_key, claims[1].claim_key)
    assert (fresh.version, fresh.status, fresh.value) == (1, "rumour", "$1bn")
    assert fresh.event_id != event.event_id
    assert kept.change is None and fresh.change is None
    assert fold([kept, fresh], claims, NOW, SETTINGS) == []
    with pytest.raises(ValueError, match="both sides"):
        split(event, claims, set(), NOW, SETTINGS)


# --- properties -------------------------------------------------------------------------------------------------------

_parties = st.sampled_from(
    ["Vela, Orm", "Vela, Kite", "Orm:acquirer, Kite:target", "Vela:acquirer, Kite:target", "Kite:target", "Vela",
     "Vela, Orm, Kite", "Vela:acquirer"]
)  # fmt: skip
_claims = st.lists(
    st.builds(
        claim,
        parties=_parties,
        deal_type=st.sampled_from(["partnership", "licensing", "acquisition", "investment"]),
        status=st.sampled_from(CLAIMED),
        day=st.sampled_from([0, 1, 2, 5, 20, 90, 200, 400]),
        sourcing=st.sampled_from(["party_statement", "named_report", "unnamed_sources", "unattributed"]),
        origin=st.sampled_from(["", "Bloomberg", "Reuters", "the Bloomberg News"]),
        value=st.sampled_from(["", "$1 billion", "$2bn"]),
        marks=st.sampled_from([(), (), (), ("second",)]),
        baseline=st.booleans(),
    ),
    max_size=9,
)


def state(versions: list[Event]) -> dict[str, Event]:
    """What is known in the end, without the counting of versions."""
    return {
        k: replace(e, version=0, claim_keys=(), change=None, what="", status_before="")
        for k, e in latest(versions).items()
    }


@given(_claims)
def test_folding_again_changes_nothing(claims: list[Claim]) -> None:
    versions = told(*claims)
    assert fold(latest(versions).values(), claims, NOW, SETTINGS) == []


@given(_claims, st.data())
def test_batches_give_what_one_fold_gives(claims: list[Claim], data: st.DataObject) -> None:
    at_once = told(*claims)
    cut = data.draw(st.integers(0, len(claims)))
    book: dict[str, Event] = {}
    made: list[Event] = []
    for batch in (claims[:cut], claims[cut:]):
        keys = set(wanted_keys(batch))
        found = [event for event in book.values() if keys & set(event.lookup)]
        new = fold(found, batch, NOW, SETTINGS)
        made += new
        book |= latest(new)
    assert state(made) == state(at_once)
    assert [(e.event_id, e.change) for e in made if e.change] == [(e.event_id, e.change) for e in at_once if e.change]


@given(_claims)
def test_versions_count_up_and_every_claim_is_somewhere(claims: list[Claim]) -> None:
    versions = told(*claims)
    seen: dict[str, int] = {}
    for event in versions:
        assert event.version == seen.get(event.event_id, 0) + 1
        assert (event.change == "new") == (event.version == 1)
        seen[event.event_id] = event.version
    assert {k for e in versions for k in e.claim_keys} == {c.claim_key for c in claims}
    assert {k for e in latest(versions).values() for k in e.folded} == {c.claim_key for c in claims}


@given(
    st.sampled_from(["rumour", "announced", "completed", "denied", "terminated"]),
    st.lists(st.sampled_from(["The Information", "Bloomberg", "Reuters", ""]), min_size=2, max_size=2),
    st.lists(st.sampled_from(["Vela, Orm", "Orm, Vela", "Vela"]), min_size=2, max_size=2),
)
def test_the_order_of_two_late_repeats_does_not_matter(status: str, origins: list[str], parties: list[str]) -> None:
    first = report("Vela, Orm", "The Information", status=status)
    late = [
        claim(p, status="rumour", day=2, origin=o, sourcing="named_report" if o else "unattributed")
        for o, p in zip(origins, parties, strict=True)
    ]

    def seen(versions: list[Event]) -> object:
        return sorted(
            (
                e.status,
                e.deal_type,
                e.evidence_level,
                sorted(e.parties),
                sorted(e.origins),
                sorted(e.outlets),
                e.claim_count,
            )
            for e in latest(versions).values()
        )

    one, other = told(first, *late), told(first, *reversed(late))
    assert seen(one) == seen(other)
    assert changes(one) == changes(other)


# --- the labelled stories beside the project --------------------------------------------------------------------------

STORIES = Path(__file__).resolve().parents[2] / "shared" / "dev" / "stories" / "labels.jsonl"


@pytest.mark.skipif(not STORIES.is_file(), reason="the labelled stories are not beside the project")
def test_the_labelled_stories_alert_once_per_status() -> None:
    """Claims made from the labels, as the best reader would: every expected alert, no repeat."""
    rows = [json.loads(line) for line in STORIES.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row["status"] != "none"]
    words = {"ended": "terminated"}
    claims, due = [], {}
    for number, row in enumerate(sorted(rows, key=lambda row: row["date"]), 1):
        roles = (":acquirer", ":target") if row["deal_type"] == "acquisition" else ("", "")
        parties = ", ".join(p + r for p, r in zip(row["parties"], roles, strict=True))
        status = words.get(row["status"], row["status"])
        claims.append(
            claim(parties, row["deal_type"], status, number=number, published=on(0) + timedelta(hours=number))
        )
        due[number] = row["should_alert"]
    alerted = {e.claim_keys[0] for e in told(*claims) if e.change}
    assert alerted == {number for number, wanted in due.items() if wanted}


def test_a_deal_knows_the_feeds_that_brought_it() -> None:
    from monitor.claims import Reader
    from monitor.lexicon import load_lexicon
    from monitor.models import Article, Company

    feeds = ("https://feed.example/a", "https://feed.example/b", "https://feed.example/a")
    reader = Reader(load_lexicon(), (Company(name="Meta"), Company(name="Midjourney")))
    articles = [
        Article(
            article_id=str(n), title="Meta and Midjourney sign licensing deal", text="", feed_url=url, published=on(n)
        )
        for n, url in enumerate(feeds)
    ]
    versions = told(*(c for article in articles for c in reader.read(article).claims))
    assert versions[-1].feeds == feeds[:2]
