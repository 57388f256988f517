"""Every rule proves itself on its own examples; rule files that are wrong are refused with file, rule and remedy.

The first half is generated from `monitor/rules/*.toml`: an example must give a claim by its rule (with the status
behind `=>`), a counter-example must give none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from monitor.claims import Reader, Reading
from monitor.errors import RuleError
from monitor.inflection import inflect, plural
from monitor.lexicon import Cue, Lexicon, Trigger, expand, load_lexicon
from monitor.models import Article, Company
from monitor.text import tokenize

WATCHED = ("Acme", "Borealis", "Cyclon", "Dunmore")

# (rule, text without its status) -> why it is not so yet. A row that has come right fails its test: take it out.
NOT_YET: dict[tuple[str, str], str] = {}


@cache
def read(headline: str) -> Reading:
    return _reader().read(Article(article_id="x", title=headline, text=""))


@cache
def _reader() -> Reader:
    return Reader(load_lexicon(), [Company(name=name) for name in WATCHED])


def examples(field: str) -> Iterator[tuple[Trigger | Cue, int, str, str]]:
    """Rule, number, text and status ("" for any) of each example."""
    rules: tuple[Trigger | Cue, ...] = (*load_lexicon().triggers, *load_lexicon().cues)
    for rule in rules:
        for number, example in enumerate(getattr(rule, field, ()), 1):
            text, _, status = (part.strip() for part in example.partition("=>"))
            yield rule, number, text, status


def rows(field: str) -> list[object]:
    params: list[object] = []
    for rule, number, text, status in examples(field):
        kind = "trigger" if isinstance(rule, Trigger) else "cue"
        why = NOT_YET.get((rule.id, text))
        marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
        params.append(pytest.param(rule, text, status, id=f"{kind}:{rule.id}:{number}", marks=marks))
    return params


@pytest.mark.parametrize(("rule", "text", "status"), rows("examples"))
def test_example(rule: Trigger | Cue, text: str, status: str) -> None:
    claims = read(text).claims
    if isinstance(rule, Cue) and rule.effect == "ignore":  # such a cue hides others and leaves no trace itself
        assert {claim.status for claim in claims} <= {"rumour", "announced", "completed"}
        assert rule.id in {hit.rule.id for hit in load_lexicon().find(tokenize(text))}
        return
    by_rule = [claim.status for claim in claims if rule.id in claim.rules]
    assert by_rule, f"no claim by {rule.id}: {claims or read(text).near_misses}"
    assert not status or status in by_rule


@pytest.mark.parametrize(("rule", "text", "_"), rows("counter_examples"))
def test_counter_example(rule: Trigger, text: str, _: str) -> None:
    assert [claim for claim in read(text).claims if rule.id in claim.rules] == []


def test_the_table_of_failures_names_examples_that_are_there() -> None:
    there = {(rule.id, text) for field in ("examples", "counter_examples") for rule, _, text, _ in examples(field)}
    assert NOT_YET.keys() <= there


def test_every_trigger_proves_itself_both_ways() -> None:
    assert [rule.id for rule in load_lexicon().triggers if not (rule.examples and rule.counter_examples)] == []


SILENCED = [
    # the cue, and a deal that is no news for its sake
    ("wish", "Why Acme should acquire Borealis"), ("wish", "Acme tried to acquire Borealis"),
    ("wish", "Lawmakers urge regulators to probe Acme takeover of Borealis"), ("wish", "Acme must buy Borealis"),
    ("history", "Acme cuts jobs at previous joint venture with Borealis"),
    ("history-after", "Acme signed partnership with Borealis in 2011"),
    ("history-after", "Acme announced merger with Borealis two years ago"),
]  # fmt: skip


@pytest.mark.parametrize(("cue", "text"), SILENCED)
def test_a_silent_cue_leaves_a_near_miss(cue: str, text: str) -> None:
    reading = read(text)
    assert reading.claims == ()
    assert cue in {rule for miss in reading.near_misses for rule in miss.rules}


# ---------------------------------------------------------------- words

FORMS = [
    # verb, s, ing, past, participle
    ("acquire", "acquires", "acquiring", "acquired", "acquired"), ("buy", "buys", "buying", "bought", "bought"),
    ("agree", "agrees", "agreeing", "agreed", "agreed"), ("tie", "ties", "tying", "tied", "tied"),
    ("ally", "allies", "allying", "allied", "allied"), ("deploy", "deploys", "deploying", "deployed", "deployed"),
    ("merge", "merges", "merging", "merged", "merged"), ("scrap", "scraps", "scrapping", "scrapped", "scrapped"),
    ("develop", "develops", "developing", "developed", "developed"), ("axe", "axes", "axing", "axed", "axed"),
    ("reach", "reaches", "reaching", "reached", "reached"), ("nix", "nixes", "nixing", "nixed", "nixed"),
    ("purchase", "purchases", "purchasing", "purchased", "purchased"), ("eye", "eyes", "eyeing", "eyed", "eyed"),
    ("take", "takes", "taking", "took", "taken"), ("withdraw", "withdraws", "withdrawing", "withdrew", "withdrawn"),
    ("co-build", "co-builds", "co-building", "co-built", "co-built"), ("bid", "bids", "bidding", "bid", "bid"),
    ("co-develop", "co-develops", "co-developing", "co-developed", "co-developed"),
]  # fmt: skip


@pytest.mark.parametrize("row", FORMS, ids=[row[0] for row in FORMS])
def test_forms_of_a_verb(row: tuple[str, ...]) -> None:
    assert inflect(row[0]) == tuple(zip(row, ("base", "s", "ing", "past", "pp"), strict=True))


def test_a_verb_with_two_spellings() -> None:
    forms = dict.fromkeys(form for form, _ in inflect("cancel"))
    assert list(forms) == ["cancel", "cancels", "canceling", "canceled", "cancelled", "cancelling"]


@pytest.mark.parametrize(
    ("one", "many"),
    [("deal", "deals"), ("company", "companies"), ("buy", "buys"), ("tax", "taxes"), ("pitch", "pitches"),
     ("stake", "stakes"), ("loss", "losses"), ("wish", "wishes"), ("mou", "mous")],
)  # fmt: skip
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("phrase", "rows"),
    [
        ("buy out", ["buy out"]), ("talks|discussions with", ["talks with", "discussions with"]),
        ("(strategic) pact", ["pact", "strategic pact"]),
        ("in (early|late) talks", ["in talks", "in early talks", "in late talks"]),
        ("(a|the) x|y", ["x", "y", "a x", "a y", "the x", "the y"]), ("pay MONEY for", ["pay MONEY for"]),
        ("take (a big) bite", ["take bite", "take a big bite"]), ("", [""]),
    ],
)  # fmt: skip
def test_expand(phrase: str, rows: list[str]) -> None:
    assert [" ".join(words) for words in expand(phrase)] == rows


def test_expand_years() -> None:
    years = [words[1] for words in expand("in 19YY")]
    assert (len(years), years[0], years[-1]) == (100, "1900", "1999")


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("in talks with lenders", ["in talks with"]),  # the longest phrase, and no other inside it
        ("the strategic partnership agreement", ["strategic partnership", "agreement"]),
        ("declined to comment on takeover talks", ["declined to comment", "takeover talks"]),
        ("pay $3 billion for it", ["pay $3 billion for"]), ("rose 12% on", ["rose 12%"]), ("nothing here", []),
    ],
)  # fmt: skip
def test_find(text: str, phrases: list[str]) -> None:
    tokens = tokenize(text)
    found = [text[tokens[hit.start].start : tokens[hit.end - 1].end] for hit in load_lexicon().find(tokens)]
    assert list(dict.fromkeys(found)) == phrases


# ---------------------------------------------------------------- loading

PLACES = '{ subject = "party", with = "party" }'
TRIGGER = f'[[triggers]]\nid = "mine"\ntype = "partnership"\nnouns = ["zonk"]\nplaces = {PLACES}\n'
CUE = '[[cues]]\nid = "mine"\neffect = "rumour"\nwhere = "before"\nphrases = ["zonkish"]\n'
WRONG = {
    # what is wrong with the file: (its text, what the message must say)
    "not TOML": ("[[triggers\n", ["not valid TOML", "line 1"]),
    "unknown table": (TRIGGER.replace("triggers", "trigers"), ["the top level", "'trigers'", "cues, triggers"]),
    "unknown key": (TRIGGER + 'colour = "red"\n', ["rule 'mine'", "'colour'", "use one of", "verbs"]),
    "a key of triggers only": (CUE + 'nouns = ["zonk"]\n', ["rule 'mine'", "'nouns'", "use one of", "phrases"]),
    "no id": (TRIGGER.replace('id = "mine"\n', ""), ["without an id", "`id` is missing"]),
    "id twice": (TRIGGER + TRIGGER, ["rule 'mine'", "taken already", "choose another id"]),
    "id of a shipped rule": (TRIGGER.replace("mine", "acquire"), ["rule 'acquire'", "triggers.toml", "another id"]),
    "id of a trigger and a cue": (TRIGGER + CUE, ["rule 'mine'", "taken already"]),
    "unknown type": (TRIGGER.replace("partnership", "marriage"), ["`type` is 'marriage'", "joint_venture"]),
    "no type": (TRIGGER.replace('type = "partnership"\n', ""), ["rule 'mine'", "`type`", "joint_venture"]),
    "unknown need": (TRIGGER + 'needs = "luck"\n', ["`needs` is 'luck'", "technology"]),
    "no places": (TRIGGER.replace("places", "# places"), ["rule 'mine'", "`places` is missing", "subject"]),
    "unknown effect": (CUE.replace("rumour", "gone"), ["`effect` is 'gone'", "terminated"]),
    "unknown side": (CUE.replace("before", "left"), ["`where` is 'left'", "after"]),
    "a word for a list": (TRIGGER.replace('["zonk"]', '"zonk"'), ["rule 'mine'", "`nouns`", ";"]),
    "a number for a word": (TRIGGER.replace('"zonk"', "5"), ["rule 'mine'", "`nouns`", ";"]),
    "a word for places": (TRIGGER.replace(PLACES, '"party"'), ["rule 'mine'", "`places`", ";"]),
    "a word for a number": (CUE + 'gap = "four"\n', ["rule 'mine'", "`gap`", ";"]),
    "a word for yes or no": (TRIGGER + 'reciprocal = "yes"\n', ["rule 'mine'", "`reciprocal`", ";"]),
    "unknown status": (TRIGGER + 'status = "done"\n', ["rule 'mine'", "`status`", "terminated"]),
    "a number for the rules": ("triggers = 5\n", ["triggers", ";"]),
    "one table for many": (TRIGGER.replace("[[triggers]]", "[triggers]"), ["triggers", ";"]),
    "no words": (TRIGGER.replace("nouns", "# nouns"), ["rule 'mine'", ";"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_file_is_refused(name: str, tmp_path: Path) -> None:
    text, said = WRONG[name]
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RuleError) as caught:
        load_lexicon([path])
    assert str(caught.value).startswith(f"{path}: ")
    assert [words for words in said if words not in str(caught.value)] == []


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="does not exist"):
        load_lexicon([tmp_path / "none.toml"])
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(RuleError):
        load_lexicon([tmp_path])
    with pytest.raises(RuleError, match="not valid TOML"):
        load_lexicon([tmp_path / "latin.toml"])


def test_rules_of_the_user_count_beside_the_shipped_ones(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TRIGGER + CUE.replace('"mine"', '"mine.too"'), encoding="utf-8")
    lexicon: Lexicon = load_lexicon([path])
    article = Article(article_id="x", title="Acme announces zonk with Borealis", text="")
    claims = Reader(lexicon, [Company(name="Acme")]).read(article).claims
    assert [("mine" in claim.rules, claim.parties) for claim in claims] == [(True, ("Acme", "Borealis"))]
    assert len(lexicon.triggers) == len(load_lexicon().triggers) + 1
    assert "mine" not in {rule.id for rule in load_lexicon().triggers}  # the shipped rules are as they were


def test_the_shipped_rules_are_read_once() -> None:
    assert load_lexicon() is load_lexicon()
