"""Who says it: the outlet, the nameless sources or the party to whom a sentence credits its news.

Knows words and outlets, not deals. One pass over the words, so that no sentence takes longer than its length. The words
are data (`rules/sourcing.toml`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from monitor.models import Sourcing

RULES = Path(__file__).parent / "rules" / "sourcing.toml"
LONGEST_NAME = 6  # words of an outlet's name
LONGEST_PHRASE = 6  # words of a phrase in the rules
_WORD = re.compile(r"[^\W_]+(?:['’&.][^\W_]+)*|[^\w\s]")
_RELATIVE = frozenset({"which", "who", "that", "as"})
_JOINS = frozenset({"of", "&", "and", "the", "de"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one sentence says of where its news comes from."""

    sourcing: Sourcing = "unattributed"
    origin: str = ""  # the outlet credited, if it is another one than the article's own
    retold: bool = False  # somebody else's story, whoever that is: no source of this newsroom's


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """`sourcing.toml`, word for word; phrases as tuples of words."""

    strong_before: frozenset[tuple[str, ...]]
    weak_before: frozenset[tuple[str, ...]]
    told_before: frozenset[tuple[str, ...]]
    told_after: frozenset[tuple[str, ...]]
    report_after: frozenset[tuple[str, ...]]
    say_after: frozenset[tuple[str, ...]]
    report_goes_on: frozenset[str]
    media_words: frozenset[str]
    not_names: frozenset[str]
    unnamed: tuple[str, ...]
    retold: tuple[str, ...]
    party: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    low: str
    start: int
    end: int


@cache
def source_rules() -> SourceRules:
    """The shipped rules."""
    raw = tomllib.loads(RULES.read_text(encoding="utf-8"))

    def phrases(key: str) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(phrase.split()) for phrase in raw[key])

    return SourceRules(
        strong_before=phrases("strong_before"),
        weak_before=phrases("weak_before"),
        told_before=phrases("told_before"),
        told_after=phrases("told_after"),
        report_after=phrases("report_after"),
        say_after=phrases("say_after"),
        report_goes_on=frozenset(raw["report_goes_on"]),
        media_words=frozenset(raw["media_words"]),
        not_names=frozenset(raw["not_names"]),
        unnamed=tuple(raw["unnamed"]),
        retold=tuple(raw["retold"]),
        party=tuple(raw["party"]),
    )


def read_source(
    sentence: str,
    outlets: Mapping[str, str],
    *,
    own: str = "",
    companies: Collection[str] = (),
    rules: SourceRules | None = None,
) -> Source:
    """The source of one sentence (a headline is one).

    `outlets` maps names in small letters to the outlet's proper name; `own` is the outlet of the article; `companies`
    are names of companies in small letters, which are no outlets here.
    """
    rules = rules or source_rules()
    low = f" {' '.join(sentence.casefold().split())} "
    name, told = _credited(sentence, outlets, own, companies, rules)
    ours = bool(name) and _same(name, own)
    if name and not ours:
        return Source(sourcing="named_report", origin=name, retold=True)
    if told or _any(low, rules.unnamed):
        return Source(sourcing="unnamed_sources")
    retold = _any(low, rules.retold)
    if _any(low, rules.party):
        return Source(sourcing="party_statement", retold=retold)
    return Source(retold=retold)


def settle_sources(own: Source, article: Iterable[Source], *, rumour: bool) -> Source:
    """The source of a claim from that of its sentences (`own`) and those of the article's first sentences.

    A story that the article retells is its origin's throughout: where a rumour's own sentence names no source of this
    newsroom's, the outlet that the article credits is the origin.
    """
    if not rumour or own.sourcing in ("named_report", "party_statement"):
        return own
    credited = next((s for s in article if s.sourcing == "named_report"), None)
    if credited is not None:
        return credited
    if own.sourcing == "unattributed":
        return next((s for s in article if s.sourcing == "unnamed_sources"), own)
    return own


def _credited(
    sentence: str, outlets: Mapping[str, str], own: str, companies: Collection[str], rules: SourceRules
) -> tuple[str, bool]:
    """The outlet that the sentence credits, "" for none, and whether it was told by sources rather than reported."""
    words = [_Word(m[0], m[0].casefold(), m.start(), m.end()) for m in _WORD.finditer(sentence)]
    for first, last in _runs(words, rules):
        before, after = _before(words, first), _after(words, last)
        told = bool(before & rules.told_before or after & rules.told_after)
        reports = after & rules.report_after
        strong = bool(before & rules.strong_before) or any(
            _goes_on(words, first, last, phrase, rules) for phrase in reports
        )
        tail = last == len(words) and sentence[: words[first].start].rstrip().endswith(":")  # "...: Sky News"
        weak = strong or told or tail or bool(before & rules.weak_before or after & rules.say_after)
        if not weak:
            continue
        name = _outlet(words[first:last], outlets, own, companies, rules, any_name=strong)
        if name:
            return name, told and _same(name, own)
    return "", False


def _runs(words: Sequence[_Word], rules: SourceRules) -> Iterable[tuple[int, int]]:
    """Stretches of words in capitals that could be a name, left to right; at most LONGEST_NAME words each."""
    at = 0
    while at < len(words):
        if not _is_capital(words[at]):
            at += 1
            continue
        first = at
        while at < len(words) and at - first < LONGEST_NAME and _continues(words, first, at):
            at += 1
        last = at
        while last > first and (words[last - 1].low in _JOINS or words[last - 1].low in rules.not_names):
            last -= 1
        while first < last and words[first].low in rules.not_names and not _is_article(words, first, last):
            first += 1
        if first < last:
            yield first, last
        at = max(at, last, first + 1)


def _continues(words: Sequence[_Word], first: int, at: int) -> bool:
    word = words[at]
    if at > first and word.start - words[at - 1].end > 1:
        return False
    if _is_capital(word) or word.text[0].isdigit():
        return True
    return at > first and word.low in _JOINS and at + 1 < len(words) and _is_capital(words[at + 1])


def _is_capital(word: _Word) -> bool:
    return word.text[0].isupper()


def _is_article(words: Sequence[_Word], first: int, last: int) -> bool:
    """ "The" belongs to a name that follows it at once."""
    return words[first].low == "the" and last - first > 1


def _before(words: Sequence[_Word], first: int) -> frozenset[tuple[str, ...]]:
    """The phrases that end at a name: of one word, of two, ..."""
    low = [w.low for w in words[max(0, first - LONGEST_PHRASE) : first]]
    if low and low[-1] in {"the", ":"}:
        low.pop()
    return frozenset(tuple(low[n:]) for n in range(len(low)))


def _after(words: Sequence[_Word], last: int) -> frozenset[tuple[str, ...]]:
    """The phrases that begin behind a name; a comma and a weekday between do not count."""
    low = [w.low for w in words[last : last + LONGEST_PHRASE]]
    if low and low[0] == ",":
        low = low[1:]
    return frozenset(tuple(low[: n + 1]) for n in range(len(low)))


def _goes_on(words: Sequence[_Word], first: int, last: int, phrase: tuple[str, ...], rules: SourceRules) -> bool:
    """What a verb of reporting tells is news, not a figure: by what stands behind, or before ("that X reported")."""
    if phrase[0] in _RELATIVE or (first and words[first - 1].low in _RELATIVE):
        return True
    at = last + len(phrase) + (last < len(words) and words[last].low == ",")
    return (words[at].low if at < len(words) else "") in rules.report_goes_on


def _outlet(
    row: Sequence[_Word],
    outlets: Mapping[str, str],
    own: str,
    companies: Collection[str],
    rules: SourceRules,
    *,
    any_name: bool,
) -> str:
    """The outlet that the words name: a known one, the article's own, or one that must be one; "" for none."""
    whole = " ".join(w.text for w in row)
    bare = whole.removeprefix("The ") if len(row) > 1 else whole
    if _same(whole, own):
        return own
    for first in range(len(row)):  # "Separately Reuters": words before a name fall away, never its own first word
        text = " ".join(w.low for w in row[first:])
        known = outlets.get(text) or (first == 0 and (outlets.get(f"the {text}") or outlets.get(bare.casefold()))) or ""
        if known:
            return known
    if bare.casefold() in companies or whole.casefold() in companies:
        return ""
    looks = row[-1].low in rules.media_words or (row[0].low == "the" and len(row) == 2)
    return whole if any_name or (looks and len(row) > 1) else ""


def _same(name: str, own: str) -> bool:
    def key(text: str) -> str:
        return "".join(c for c in text.casefold().removeprefix("the ") if c.isalnum())

    return bool(own) and key(name) == key(own)


def _any(low: str, phrases: Iterable[str]) -> bool:
    return any(_at(low, phrase) for phrase in phrases)


def _at(low: str, phrase: str) -> bool:
    """The phrase stands in the sentence (between spaces) as words of its own."""
    at = low.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if (phrase[0] in "-" or not low[at - 1].isalnum()) and not low[end].isalnum():
            return True
        at = low.find(phrase, at + 1)
    return False


# ---------------------------------------------------------------- outlets among the names of a sentence

_SAYS = re.compile(
    r"['’]?s?\s+(?:news\s)?(?:reports?|reported|says?|said|writes?|wrote|reveals?|claims?|learns|understands|citing|adds?)\b",
    re.IGNORECASE,
)
_CREDITS = re.compile(
    r"(?:according to|per|report by|report from|reported by|seen by|citing|told|tells|report in|-|:|–|—)\s+(?:the\s)?$",
    re.IGNORECASE,
)


def reports(text: str, start: int, end: int) -> bool:
    """Does the outlet at this span report, rather than make a deal?"""
    rest = text[end:].strip(" .")
    return (
        bool(_SAYS.match(text[end:]))
        or (bool(_CREDITS.search(text[:start])) and len(rest) < 12)
        or (not rest and text[:start].rstrip()[-1:] in ",-:")
    )
