"""Reading any text whatever: no exception, claims that are whole, the same answer twice, bounded time.

The texts are shuffled out of names, deal words, cues and stray marks, so that frames are broken in every way.
"""

from __future__ import annotations

import time
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.claims import Reader
from monitor.lexicon import load_lexicon
from monitor.models import DEAL_TYPES, Article, Company

WATCH = (
    Company(name="Meta", aliases=("Meta Platforms", "Facebook"), products=("WhatsApp", "Llama"), tickers=("META",)),
    Company(name="Google", aliases=("Alphabet",), products=("Gemini", "YouTube")),
    Company(name="Velmora", aliases=("Velmora Motors",)),
    Company(name="AT&T"),
)
STATUSES = {"rumour", "announced", "completed", "denied", "terminated"}
SOURCINGS = {"party_statement", "named_report", "unnamed_sources", "unattributed"}
WORDS = (
    "Meta", "Facebook", "Google", "Google's", "Velmora", "AT&T", "Midjourney", "Cendrix Energy", "Hélianthe",
    "the company", "it", "they", "both", "rival", "startup", "unit", "stake", "shares", "models", "deal", "talks",
    "partnership", "merger", "joint venture", "license", "licensing agreement", "supply contract", "acquisition",
    "takeover", "bid", "offer", "funding round", "to buy", "to acquire", "buys", "acquires", "sells", "sale of",
    "invests", "raises", "signs", "wins", "teams up", "partners", "picks", "will use", "in talks", "nears",
    "weighs", "considers", "explores", "eyes", "denies", "rejects", "calls off", "ends", "completes", "closes",
    "not", "no longer", "former", "ex-", "should", "could", "would", "if", "reportedly", "said", "says", "told",
    "reported", "according to", "citing", "people familiar with the matter", "sources", "The Information",
    "Reuters", "on Monday", "in 2019", "with", "and", "or", "between", "from", "for", "of", "by", "in", "to", "a",
    "an", "the", "its", "$10 billion", "27%", "€900m", "$1.9 Billion", ",", ";", ":", "-", "–", "—", "?", "!",
    "\"", "“", "”", "'", "’", "(", ")", "[", "]", "...", "/", "&", "*", "\n", "\t", "\u200b", "\u202e", "🚀", "İ",
    "ß", "ǅ", "0",
)  # fmt: skip
texts = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
anything = st.text(max_size=300)


@cache
def reader() -> Reader:
    return Reader(load_lexicon(), WATCH)


def check(title: str, text: str) -> None:
    article = Article(article_id="x", title=title, text=text, outlet="Harbour Wire")
    reading = reader().read(article)
    for claim in reading.claims:
        assert claim.parties
        assert all(party.strip() for party in claim.parties)
        assert len(set(claim.parties)) == len(claim.parties)
        assert claim.watched
        assert set(claim.watched) <= set(claim.parties)
        assert not claim.roles or len(claim.roles) == len(claim.parties)
        assert claim.deal_type in DEAL_TYPES
        assert claim.status in STATUSES
        assert claim.sourcing in SOURCINGS
        assert claim.rules
        for span in claim.spans:
            start, end, _ = span.split(":", 2)
            assert 0 <= int(start) <= int(end) <= len(claim.evidence), (span, claim.evidence)
    keys = [claim.claim_key for claim in reading.claims]
    assert len(set(keys)) == len(keys)
    assert reader().read(article) == reading


quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@quick
@given(title=texts, text=texts)
@example(title="Meta, Google and - in talks", text=", , and and Meta & & Google sells - to buy")
def test_shuffled_deal_words_never_raise_and_claims_are_whole(title: str, text: str) -> None:
    check(title, text)


@settings(quick, max_examples=100)
@given(title=anything, text=anything)
def test_any_characters_never_raise(title: str, text: str) -> None:
    check(title, f"Meta is in talks to buy {text} and Google {text}")


LONG = {
    "pairs": "Meta and Google " * 1_500,
    "commas": "Meta, " * 8_000,
    "brackets": "(" * 8_000 + "Meta to buy Google" + ")" * 8_000,
    "one long word": "Meta in talks with " + "A" * 4_000,
    "many sentences": "Meta to buy Google. " * 3_000,
    "quotes": "“" * 8_000 + "Meta to buy Google",
    "list": "Meta partners with " + " and ".join(f"Acme{n}" for n in range(3_000)),
    "initials": "M. & A. " * 3_000 + "Meta buys Google",
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_are_read_in_bounded_time(name: str) -> None:
    """Some 20 to 60 KB each: what takes the square of its length shows here, and does not hang the suite."""
    reader()
    start = time.process_time()
    check("", LONG[name])
    assert time.process_time() - start < 3  # a quarter of a second on a free core
