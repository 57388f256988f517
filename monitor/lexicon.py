"""What the monitor knows of language: rules read from TOML, checked, and compiled into one phrase table.

Knows the rule files and English inflection. Knows nothing of sentences: `find` lists the phrases in a row of words and
leaves their meaning to `status` and `parties`.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

from monitor.errors import RuleError
from monitor.inflection import inflect, plural
from monitor.models import DealType, Status
from monitor.text import Token

RULES = Path(__file__).parent / "rules"

EFFECTS = ("rumour", "announced", "completed", "denied", "terminated", "silent", "not", "report", "market", "ignore")
NEEDS = ("", "asset", "company", "technology", "pair")
CHECKS = (
    "between_companies", "wares", "majority", "vague", "vague_words", "wares_named", "buyer", "purchase", "seller",
    "holder", "licence", "works_with", "supplied", "for_sale", "shop", "order", "agreement", "suitor", "before_verb",
    "before_stake", "grant", "contest", "goods", "bare_object", "no_contract", "whole",
)  # fmt: skip
PREPOSITIONS_WITHIN = frozenset("with from to by of in for between into at over about through via on".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A rule that finds deals. `places` maps a grammatical place to the role of the company that stands there."""

    id: str
    type: DealType
    rank: int = 2
    places: dict[str, str]
    reciprocal: bool = False
    needs: str = ""
    modal: bool = False
    weak: bool = False
    status: str = ""
    checks: tuple[str, ...] = ()  # look-alikes to rule out, by the names in `monitor.claims.checks`
    unless: tuple[tuple[str, ...], ...] = ()
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A rule that says how a deal is asserted."""

    id: str
    effect: str
    where: str
    gap: int = 12
    weak: bool = False
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule found in a row of tokens: tokens `start` to `end` (exclusive); `form` is how its head stands there."""

    start: int
    end: int
    rule: Trigger | Cue
    form: str  # base, s, ing, past, pp, past/pp, noun, nouns, phrase


@dataclass(slots=True)
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    rules: list[tuple[Trigger | Cue, str]] = field(default_factory=list)


@dataclass(slots=True)
class Lexicon:
    """All rules, compiled. Made by `load_lexicon`; not changed afterwards."""

    triggers: tuple[Trigger, ...]
    cues: tuple[Cue, ...]
    context: dict[str, Any]
    words: frozenset[str]
    outlets: dict[str, str]  # lower-case name or alias -> name
    names: dict[str, frozenset[str]]  # people, places, titles, ... lower case
    needs: dict[str, str]  # lower-case name of a company that means other things too -> "case" or "support"
    hiding: tuple[str, ...]  # phrases that hold a company's name and do not mean it
    _root: _Node = field(default_factory=_Node)

    def find(self, tokens: Sequence[Token]) -> list[Hit]:
        """All phrases in the row, longest first at each place, none inside another."""
        hits: list[Hit] = []
        at = 0
        while at < len(tokens):
            end, rules = self._longest(tokens, at)
            if not rules:
                at += 1
                continue
            hits += [Hit(at, end, rule, form) for rule, form in rules]
            at = end
        return hits

    def _longest(self, tokens: Sequence[Token], at: int) -> tuple[int, list[tuple[Trigger | Cue, str]]]:
        node = self._root
        best: tuple[int, list[tuple[Trigger | Cue, str]]] = (at, [])
        for place in range(at, len(tokens)):
            token = tokens[place]
            step = node.next.get(_key(token))
            if step is None and token.kind in {"company", "money", "num"}:
                step = node.next.get(_key(token, exact=True))
            if step is None and place > at and token.low in _QUOTES:
                continue  # "'talking to' Acme": the marks say whose words they are, not what they mean
            if step is None:
                break
            node = step
            if node.rules:
                best = (place + 1, node.rules)
        return best

    def heads(self) -> set[str]:
        """The first words of all triggers, lower case: what the gate looks for."""
        return {word for word, node in self._root.next.items() if _has_trigger(node)}

    def single_words(self) -> frozenset[str]:
        """Deal words of one word, lower case: "mou" and "jv" look like names in capitals and are none."""
        return frozenset(word for word, node in self._root.next.items() if node.rules)

    def add(self, words: Sequence[str], rule: Trigger | Cue, form: str) -> None:
        node = self._root
        for word in _split(words):
            node = node.next.setdefault(word, _Node())
        for at, (known, tag) in enumerate(node.rules):
            if known is rule and {tag, form} == {"past", "pp"}:
                node.rules[at] = (rule, "past/pp")
                return
            if known is rule and tag == form:
                return
        node.rules.append((rule, form))


_QUOTES = frozenset("\"'“”‘’")


def _split(words: Sequence[str]) -> Iterator[str]:
    """As the tokenizer splits: a hyphen is a token of its own, a possessive too."""
    for word in words:
        for part in re.split(r"(-|'s$)", word):
            if part:
                yield part


def _has_trigger(node: _Node) -> bool:
    return any(isinstance(rule, Trigger) for rule, _ in node.rules) or any(map(_has_trigger, node.next.values()))


def _key(token: Token, *, exact: bool = False) -> str:
    if token.kind == "company":
        return "COMPANY"
    if token.kind == "money":
        return "MONEY"
    if token.kind == "num":
        return "NUMBER" if exact or not token.low.isdigit() else token.low
    return token.low


# ------------------------------------------------------------------------------------------------ loading

_TRIGGER_KEYS = {"id", "type", "rank", "verbs", "nouns", "phrases", "places", "reciprocal", "needs", "modal", "weak",
                 "status", "checks", "unless", "examples", "counter_examples"}  # fmt: skip
_CUE_KEYS = {"id", "effect", "where", "gap", "weak", "verbs", "phrases", "examples"}


@cache
def _shipped() -> Lexicon:
    return _load(())


def load_lexicon(extra: Sequence[Path] = ()) -> Lexicon:
    """The shipped rules and those of `extra` files (the user's own; same format as triggers.toml and status.toml).

    Raises RuleError, naming file, rule and remedy, for unknown keys, duplicate ids and values out of range.
    """
    return _load(tuple(extra)) if extra else _shipped()


def _load(extra: tuple[Path, ...]) -> Lexicon:
    context = _toml(RULES / "context.toml")
    lexicon = Lexicon(
        triggers=(),
        cues=(),
        context=context,
        words=frozenset((RULES / "words.txt").read_text(encoding="utf-8").split()),
        outlets=_outlets(),
        names={
            kind: frozenset(word.lower() for word in words)
            for kind, words in _toml(_data("people_places.toml")).items()
        },
        needs={row["name"].lower(): row["needs"] for row in _toml(_data("names.toml")).get("names", ())},
        hiding=tuple(row["phrase"] for row in _toml(_data("names.toml")).get("not_names", ())),
    )
    seen: dict[str, str] = {}
    triggers: list[Trigger] = []
    cues: list[Cue] = []
    for path in (RULES / "triggers.toml", RULES / "status.toml", *extra):
        document = _toml(path)
        _refuse_unknown(path, "the top level", document, {"triggers", "cues"})
        triggers += [_trigger(path, table, seen, lexicon) for table in _tables(path, document, "triggers")]
        cues += [_cue(path, table, seen, lexicon) for table in _tables(path, document, "cues")]
    lexicon.triggers, lexicon.cues = tuple(triggers), tuple(cues)
    return lexicon


def _data(name: str) -> Path:
    """A shipped data file: beside the rules, or in `seeds/` (in a wheel: `_seeds/`)."""
    places = [RULES / name, RULES.parent / "_seeds" / name, RULES.parents[1] / "seeds" / name]
    return next((path for path in places if path.exists()), places[0])


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuleError(str(path), "", "the file does not exist", "give the path of a rule file") from None
    except OSError as error:
        raise RuleError(str(path), "", f"cannot be read: {error.strerror}", "give the path of a rule file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(str(path), "", f"not valid TOML: {error}", "correct the syntax at that place") from error


def _outlets() -> dict[str, str]:
    table = {}
    for outlet in _toml(_data("outlets.toml")).get("outlets", ()):
        for name in (outlet["name"], *outlet.get("aliases", ())):
            table[name.lower()] = outlet["name"]
    return table


def _refuse_unknown(path: Path, where: str, table: dict[str, Any], known: set[str]) -> None:
    for key in table.keys() - known:
        raise RuleError(str(path), where, f"unknown key {key!r}", f"use one of {', '.join(sorted(known))}")


_WORDS = ("verbs", "nouns", "phrases")
_KINDS: dict[str, tuple[type, str]] = {
    **dict.fromkeys((*_WORDS, "unless", "checks", "examples", "counter_examples"), (list, "a list of texts")),
    **dict.fromkeys(("id", "type", "needs", "status", "effect", "where"), (str, "a text")),
    **dict.fromkeys(("rank", "gap"), (int, "a whole number")),
    **dict.fromkeys(("reciprocal", "modal", "weak"), (bool, "true or false")),
    "places": (dict, "a table of places and roles"),
}


def _check_kinds(path: Path, where: str, table: dict[str, Any]) -> None:
    """Refuse values of the wrong kind, and a rule that no words could ever fire."""
    for key, value in table.items():
        kind, told = _KINDS[key]
        right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if kind is list and right:
            right = all(isinstance(word, str) and word.strip() for word in value)
        if not right:
            raise RuleError(str(path), where, f"`{key}` is {value!r}", f"make it {told}")
    if not any(table.get(key) for key in _WORDS):
        raise RuleError(str(path), where, "it has no words", f"give at least one of {', '.join(_WORDS)}")


def _tables(path: Path, document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tables = document.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError(str(path), key, "not a list of tables", f"write each rule under [[{key}]]")
    return tables


def _begin(path: Path, table: dict[str, Any], seen: dict[str, str], known: set[str]) -> str:
    rule = str(table.get("id", ""))
    where = f"rule {rule!r}" if rule else "a rule without an id"
    if not rule:
        raise RuleError(str(path), where, "`id` is missing", "give each rule an id of its own")
    _refuse_unknown(path, where, table, known)
    _check_kinds(path, where, table)
    if rule in seen:
        raise RuleError(str(path), where, f"the id is taken already, in {seen[rule]}", "choose another id")
    seen[rule] = path.name
    return where


def _choice(path: Path, where: str, key: str, value: object, allowed: Collection[object]) -> None:
    if value not in allowed:
        raise RuleError(
            str(path), where, f"`{key}` is {value!r}", f"use one of {', '.join(str(word) for word in allowed if word)}"
        )


def _trigger(path: Path, table: dict[str, Any], seen: dict[str, str], lexicon: Lexicon) -> Trigger:
    where = _begin(path, table, seen, _TRIGGER_KEYS)
    _choice(path, where, "type", table.get("type"), get_args(DealType))
    _choice(path, where, "needs", table.get("needs", ""), NEEDS)
    _choice(path, where, "status", table.get("status", ""), ("", *get_args(Status)))
    if not table.get("places"):
        raise RuleError(str(path), where, "`places` is missing", 'say who stands where, e.g. { subject = "party" }')
    plain = {
        key: table[key]
        for key in ("id", "type", "rank", "places", "reciprocal", "needs", "modal", "weak", "status")
        if key in table
    }
    for name in table.get("checks", ()):
        _choice(path, where, "checks", name, CHECKS)
    trigger = Trigger(
        **plain,
        unless=tuple(
            sorted({words for text in table.get("unless", ()) for words in expand(text)}, key=len, reverse=True)
        ),
        checks=tuple(table.get("checks", ())),
        examples=tuple(table.get("examples", ())),
        counter_examples=tuple(table.get("counter_examples", ())),
    )
    _add_phrases(lexicon, table, trigger)
    return trigger


def _cue(path: Path, table: dict[str, Any], seen: dict[str, str], lexicon: Lexicon) -> Cue:
    where = _begin(path, table, seen, _CUE_KEYS)
    _choice(path, where, "effect", table.get("effect"), EFFECTS)
    _choice(path, where, "where", table.get("where"), ("before", "after", "both"))
    plain = {key: table[key] for key in ("id", "effect", "where", "gap", "weak") if key in table}
    cue = Cue(**plain, examples=tuple(table.get("examples", ())))
    _add_phrases(lexicon, table, cue)
    return cue


def _add_phrases(lexicon: Lexicon, table: dict[str, Any], rule: Trigger | Cue) -> None:
    for text in table.get("verbs", ()):
        for words in expand(text):
            for form, tag in inflect(words[0]):
                lexicon.add((form, *words[1:]), rule, tag)
    for text in table.get("nouns", ()):
        for words in expand(text):
            lexicon.add(words, rule, "noun")
            if words[-1] not in PREPOSITIONS_WITHIN:  # "rights to" has its plural already
                lexicon.add((*words[:-1], plural(words[-1])), rule, "nouns")
    for text in table.get("phrases", ()):
        for words in expand(text):
            lexicon.add(words, rule, "phrase")


def expand(text: str) -> Iterator[tuple[str, ...]]:
    """The word rows that a phrase stands for: `a|b` is a choice, `(word)` or `(a|b)` may be left out.

    Capitals name kinds: MONEY, NUMBER, COMPANY. In `in 19YY` the digits YY stand for any two.
    """
    slots: list[list[str]] = []
    for part in _parts(text):
        if part.startswith("("):
            slots.append(["", *part[1:-1].split("|")])
        else:
            slots.append(part.split("|"))
    for choice in itertools.product(*slots):
        words = " ".join(filter(None, choice))
        if "YY" in words:
            yield from (tuple(words.replace("YY", f"{year:02}").split()) for year in range(100))
        else:
            yield tuple(words.split())


def _parts(text: str) -> Iterator[str]:
    depth, part = 0, ""
    for char in text + " ":
        depth += (char == "(") - (char == ")")
        if char == " " and depth == 0:
            if part:
                yield part
            part = ""
        else:
            part += char
