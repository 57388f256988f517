"""Who is credited with the news: outlets known and unknown, nameless sources, parties; and nobody."""

from __future__ import annotations

import time

import pytest

from monitor.lexicon import load_lexicon
from monitor.sourcing import Source, read_source, settle_sources

OWN = "Morrow Business Daily"
CASES = [
    # sentence, sourcing, origin
    ("Meta has discussed using models from Google, The Information reported.", "named_report", "The Information"),
    (
        "Meta has discussed using models from Google, The Information reported on Friday.",
        "named_report",
        "The Information",
    ),
    ("According to a recent report by The Information, Meta is in talks.", "named_report", "The Information"),
    ("The news, based on a report from The Information, suggests talks.", "named_report", "The Information"),
    (
        "According to The Information, which first reported the discussions, Meta has looked at it.",
        "named_report",
        "The Information",
    ),
    (
        "Meta Platforms is in talks to license models from Mindarra, The Pilot reported on Monday, citing two people.",
        "named_report",
        "The Pilot",
    ),
    ("Meta is in discussions, according to a report by The Pilot.", "named_report", "The Pilot"),
    ("The Pilot, which first reported the talks, says that nothing has been decided.", "named_report", "The Pilot"),
    (
        "The two are about to sign, Harbour Wire reported on Monday, citing people familiar with the matter.",
        "named_report",
        "Harbour Wire",
    ),
    ("Velmora may get its batteries from Cendrix, says Harbour Wire", "named_report", "Harbour Wire"),
    ("Draymont is considering an offer for Liftwell, according to Harbour Wire.", "named_report", "Harbour Wire"),
    ("The merger that Harbour Wire had reported will not happen.", "named_report", "Harbour Wire"),
    (
        "Brightmere is in talks, Pharma Beacon reported, citing people familiar with the matter.",
        "named_report",
        "Pharma Beacon",
    ),
    ("Apple is in talks to buy it, Bloomberg News reported.", "named_report", "Bloomberg"),
    (
        "Apple is in talks, the Wall Street Journal reported, citing people familiar with the matter.",
        "named_report",
        "Wall Street Journal",
    ),
    ("Two people told Reuters that talks had begun.", "named_report", "Reuters"),
    ("A bid is being studied, people with knowledge of the plans told Morrow Business Daily.", "unnamed_sources", ""),
    ("Draymont has hired advisers, Morrow Business Daily has learned.", "unnamed_sources", ""),
    ("Velmora is close to a contract, three people familiar with the matter said.", "unnamed_sources", ""),
    ("Velmora nears battery supply deal with Cendrix -sources", "unnamed_sources", ""),
    ("Meta is reportedly exploring partnerships with Google and OpenAI.", "unattributed", ""),
    ("Draymont declined to comment on a report that it is considering an offer.", "unattributed", ""),
    ("Solvaine said in a statement that it would buy Ledgerwick.", "party_statement", ""),
    ("Solvaine today announced that it will acquire Ledgerwick.", "party_statement", ""),
    ("Orrinta and Tessaly have signed a partnership, they said on Tuesday.", "party_statement", ""),
    ("Orrinta reported a 6% rise in quarterly profit.", "unattributed", ""),
    ("Solvaine reported sales of $2 billion and agreed to buy Formwell.", "unattributed", ""),
    ("A bid led by Aldermoor Capital values the company at $2 billion.", "unattributed", ""),
    ("Nike chief Elliott Hill said the purchase would go ahead.", "unattributed", ""),
    ("Pellworth ought to buy Kestrin, analysts at Wexcombe wrote.", "unattributed", ""),
    ("QXO Inc. agreed to buy a rival.", "unattributed", ""),
    ("Harbour Wire could not independently verify the deal.", "unattributed", ""),
]


@pytest.fixture(scope="module")
def outlets() -> dict[str, str]:
    return dict(load_lexicon().outlets)


@pytest.mark.parametrize(("sentence", "sourcing", "origin"), CASES, ids=[c[0][:60] for c in CASES])
def test_who_is_credited(outlets: dict[str, str], sentence: str, sourcing: str, origin: str) -> None:
    names = {"meta", "google", "openai", "orrinta", "solvaine", "draymont", "velmora", "cendrix", "apple", "qxo"}
    source = read_source(sentence, outlets, own=OWN, companies=names)
    assert (source.sourcing, source.origin) == (sourcing, origin)


def test_a_company_that_reports_is_no_outlet(outlets: dict[str, str]) -> None:
    sentence = "Acme reported on Tuesday that it would buy Velmora."
    assert read_source(sentence, outlets, companies={"acme"}).origin == ""
    assert read_source(sentence, outlets).origin == "Acme"


NAMED = Source(sourcing="named_report", origin="The Pilot", retold=True)
TOLD = Source(sourcing="unnamed_sources")
BARE = Source(retold=True)
PARTY = Source(sourcing="party_statement")


@pytest.mark.parametrize(
    ("own", "article", "rumour", "expected"),
    [
        (BARE, (BARE, NAMED), True, NAMED),  # "is reportedly in talks ... The Pilot reported"
        (TOLD, (TOLD, NAMED), True, NAMED),  # "people familiar ... said, The Pilot reported"
        (TOLD, (TOLD,), True, TOLD),
        (BARE, (BARE, TOLD), True, TOLD),
        (BARE, (BARE,), True, BARE),
        (PARTY, (PARTY, NAMED), True, PARTY),  # a party confirms talks
        (Source(), (Source(), NAMED), False, Source()),  # the firm news is not the rumour's origin's
        (NAMED, (NAMED, TOLD), True, NAMED),
    ],
)
def test_a_retold_story_is_its_origins_throughout(
    own: Source, article: tuple[Source, ...], rumour: bool, expected: Source
) -> None:
    assert settle_sources(own, article, rumour=rumour) == expected


@pytest.mark.parametrize("text", ["A" * 200_000, "A " * 50_000, "The Pilot reported " * 10_000, "M. & A. " * 20_000])
def test_time_grows_with_the_length_only(outlets: dict[str, str], text: str) -> None:
    start = time.process_time()
    read_source(f"Meta in talks with {text}", outlets)
    assert time.process_time() - start < 2
