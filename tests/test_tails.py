"""What stands before or behind a headline does not change its deal: the rules' own examples, with words around them.

A word list that is too greedy ("to" behind "invests in Acme") hides deals without any example noticing; this does.
"""

from __future__ import annotations

import pytest

from monitor.claims import Reader
from monitor.lexicon import load_lexicon
from monitor.models import Article, Claim, Company

NAMES = ("Acme", "Borealis", "Cyclon", "Dunmore")
READER = Reader(load_lexicon(), [Company(name=name) for name in NAMES], ())
TAILS = (
    " to accelerate growth", " in the US", " for $3 billion", " at $23 a share", " over five years", " in India",
    " from 2027", " as demand rises", " after months of talks", " in all-cash deal", " to create global leader",
    " in push for growth", " ahead of IPO", " this year", " worth $2bn", " amid price war", " to cut costs",
    " and shares rise", " to take on Meta", " for AI data centres", " at home and abroad", " under new plan",
    " - Reuters", ", sources say", ": Sky News",
)  # fmt: skip
HEADS = ("Exclusive: ", "Update 1-", "Chip maker ", "Japan's ", "Germany's biggest lender ")
# Where the words do change the meaning: what is not for sale in India may be a phone, who backs somebody over a law
# buys nothing, and what is courted and then some is something else than the company.
LOOSE = {"not-for-sale", "back", "eyes"}
EXAMPLES = [
    (rule.id, text.partition(" => ")[0])
    for rule in load_lexicon().triggers
    for text in rule.examples
    if rule.id not in LOOSE and ";" not in text
]


def read(title: str) -> tuple[Claim, ...]:
    return READER.read(Article(article_id="x", title=title, text="")).claims


def parties(title: str) -> set[frozenset[str]]:
    return {frozenset(claim.parties) for claim in read(title)}


BARE = {text: parties(text) for _, text in EXAMPLES}


@pytest.mark.parametrize(("before", "behind"), [*(("", tail) for tail in TAILS), *((head, "") for head in HEADS)])
def test_words_around_a_headline_leave_its_parties(before: str, behind: str) -> None:
    changed = [
        f"{rule}: {before}{text}{behind}"
        for rule, text in EXAMPLES
        if BARE[text] and parties(f"{before}{text}{behind}") != BARE[text]
    ]
    assert changed == []


@pytest.mark.parametrize("tail", [", sources say", ": Sky News", ": report"])
def test_somebody_elses_word_makes_firm_news_a_rumour(tail: str) -> None:
    firm = [text for _, text in EXAMPLES if {claim.status for claim in read(text)} == {"announced"}]
    assert len(firm) > 60
    assert [text for text in firm if {claim.status for claim in read(text + tail)} - {"rumour"}] == []
