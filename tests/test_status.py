"""How a deal is asserted: the table of what a cue makes of a status, and the readings of whole headlines."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.claims import Reader
from monitor.lexicon import EFFECTS, load_lexicon
from monitor.models import Article, Company
from monitor.status import compose

STATUSES = ("", "rumour", "announced", "completed", "denied", "terminated", "silent")

# What each effect (row) makes of each status (column, in the order of STATUSES). "." = as it was.
TABLE = {
    #             ""           rumour       announced    completed    denied    terminated    silent
    "rumour":     ("rumour",     ".",          "rumour",     "rumour",     ".",      ".",          "."),
    "announced":  ("announced",  ".",          ".",          ".",          ".",      ".",          "."),
    "market":     ("announced",  ".",          ".",          ".",          ".",      ".",          "."),
    "completed":  ("completed",  ".",          "completed",  ".",          ".",      ".",          "."),
    "denied":     ("denied",     "denied",     "denied",     "denied",     ".",      "silent",     "."),
    "terminated": ("terminated", "terminated", "terminated", "terminated", ".",      ".",          "."),
    "not":        (".",          "denied",     "denied",     "silent",     "silent", "silent",     "."),
    "silent":     ("silent",     "silent",     "silent",     "silent",     "silent", "silent",     "."),
    "report":     (".",          ".",          ".",          ".",          ".",      ".",          "."),
    "ignore":     (".",          ".",          ".",          ".",          ".",      ".",          "."),
}  # fmt: skip
PAIRS = [(effect, at) for effect in EFFECTS for at in range(len(STATUSES))]


def test_every_effect_is_decided() -> None:
    assert set(TABLE) == set(EFFECTS)


@pytest.mark.parametrize(("effect", "at"), PAIRS, ids=[f"{effect}-{STATUSES[at] or 'nothing'}" for effect, at in PAIRS])
def test_compose(effect: str, at: int) -> None:
    status, expected = STATUSES[at], TABLE[effect][at]
    assert compose(status, effect) == (status if expected == "." else expected)
    once = compose(status, effect)
    if effect not in {"not", "denied"}:  # said twice, these two turn round what they said
        assert compose(once, effect) == once


def not_yet(*row: object, reason: str) -> object:
    return pytest.param(*row, marks=pytest.mark.xfail(strict=True, reason=reason))


@cache
def reader() -> Reader:
    return Reader(load_lexicon(), [Company(name="Acme"), Company(name="Borealis")])


def status(title: str) -> str:
    """The one status of a headline, "" if it makes no claim."""
    claims = reader().read(Article(article_id="x", title=title, text="")).claims
    assert len({claim.status for claim in claims}) <= 1
    return claims[0].status if claims else ""


HEADLINES = {
    "announced": [
        "Acme buys Borealis", "Acme to buy Borealis", "Acme has bought Borealis", "Acme is buying Borealis",
        "Acme will buy Borealis",
        "Borealis bought by Acme", "Borealis to be acquired by Acme", "Acme agrees to buy Borealis",
        "Acme-Borealis merger announced",
        "Acme and Borealis merge", "Acme, Borealis sign licensing deal", "Acme's takeover of Borealis agreed",
        "Acme says it has agreed to buy Borealis", "Acme confirms it will buy Borealis",
        "Acme shares jump on Borealis takeover",
        "Acme extends partnership with Borealis", "Acme declined to comment on its deal to buy Borealis",
    ],
    "rumour": [
        "Acme in talks to buy Borealis", "Acme considers buying Borealis", "Acme may buy Borealis",
        "Acme could partner with Borealis",
        "Acme nears deal to buy Borealis", "Acme said to be in talks with Borealis on licensing deal",
        "Acme weighs bid for Borealis",
        "Acme to buy Borealis: sources", "Acme reportedly buys Borealis", "Acme to buy Borealis, sources say",
        "Acme plans to buy Borealis", "Acme close to buying Borealis", "Acme-Borealis merger looms",
        "Is Acme buying Borealis?",
        "Acme expected to announce partnership with Borealis", "Acme, Borealis explore merger",
        "Acme wants to buy Borealis",
        "Acme says it may buy Borealis", "Acme eyes stake in Borealis",
        "Acme in advanced talks on joint venture with Borealis",
    ],
    "completed": [
        "Acme completes acquisition of Borealis", "Acme closes Borealis takeover",
        "Acme's acquisition of Borealis completed",
        "Acme finalises purchase of Borealis", "Acme wraps up Borealis acquisition",
        "Acme's takeover of Borealis closes",
    ],
    "denied": [
        "Acme denies talks to buy Borealis", "Acme denies it is in talks to buy Borealis",
        "Acme says it is not in talks to buy Borealis",
        "Acme has no plans to buy Borealis", "Acme won't buy Borealis", "Borealis rejects Acme takeover bid",
        "Acme not buying Borealis",
        "Borealis rebuffs offer from Acme", "Acme rules out merger with Borealis",
        "Acme says it will not acquire Borealis",
        "Borealis turns down takeover offer from Acme", "Acme dismisses rumours of merger with Borealis",
    ],
    "terminated": [
        "Acme scraps acquisition of Borealis", "Acme walks away from Borealis takeover",
        "Acme, Borealis call off merger",
        "Acme's merger with Borealis falls apart", "Acme ends partnership with Borealis", "Acme drops bid for Borealis",
        "Acme-Borealis merger collapses", "Acme abandons plan to buy Borealis",
        "Acme pulls out of joint venture with Borealis",
        "Acme ends talks to buy Borealis", "Acme cuts ties with Borealis",
        "Acme will not renew licensing deal with Borealis",
    ],
    "": [
        "Acme should buy Borealis", "Should Acme buy Borealis?", "Why Acme must buy Borealis",
        "How Acme bought Borealis",
        "Acme tried to buy Borealis", "Regulators probe Acme takeover of Borealis",
        "Acme's partnership with Borealis turns ten",
        "Acme, which bought Borealis in 2019, cuts jobs", "Acme sues over licensing deal with Borealis",
        "Acme users buy Borealis shoes",
        "Investors urge Acme to buy Borealis", "Acme signed partnership with Borealis in 2011",
        "Lessons from Acme's takeover of Borealis", "Acme's ex-partner Borealis opens store",
    ],
}  # fmt: skip


ROWS: list[object] = [(key, title) for key, titles in HEADLINES.items() for title in titles]
ROWS += [
    not_yet("rumour", "Acme does not rule out bid for Borealis", reason="the look-alike hides the denial, and no more"),
]


@pytest.mark.parametrize(("expected", "title"), ROWS)
def test_status_of_a_headline(expected: str, title: str) -> None:
    assert status(title) == expected
