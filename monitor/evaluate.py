"""Scores of detection on texts that somebody labelled: precision, recall and F1 per axis, with a lower bound.

Knows the label format (one JSON object a line: `id`, `watch`, `parties`, `deal_type`, `status`, `accept_*`,
`ambiguous`, `other_events`) and how the axes are counted. Strict items are those not marked `ambiguous`.

An item fires if any claim is made. Of several claims the one nearest to the label is its answer. The whole answer is
right if parties (as a set), type and status all are. Rates carry a one-sided 90% lower bound after Wilson (1927).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.claims import Reader
from monitor.companies import catalogue
from monitor.errors import ConfigError
from monitor.lexicon import load_lexicon
from monitor.models import Article, Claim, Company

Z_90 = 1.2816
# The words of the label format that differ from the monitor's own.
_STATUS = {"terminated": "ended", "completed": "announced"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`hits` of `total`."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else 0.0

    @property
    def bound(self) -> float:
        """The one-sided 90% lower bound of the rate (Wilson score)."""
        if not self.total:
            return 0.0
        n, p, z = self.total, self.value, Z_90
        centre = p + z * z / (2 * n)
        return (centre - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One labelled text and what detection made of it."""

    id: str
    title: str
    expected: bool
    claims: tuple[Claim, ...]
    parties: bool = False
    deal_type: bool = False
    status: bool = False

    @property
    def whole(self) -> bool:
        return self.parties and self.deal_type and self.status


@dataclass(slots=True)
class Report:
    """All outcomes, and the scores made of them."""

    outcomes: list[Outcome] = field(default_factory=list)
    sides: list[bool] = field(default_factory=list)  # one side watched: was the other named right?

    def rates(self) -> dict[str, Rate]:
        fired = [one for one in self.outcomes if one.claims]
        true = [one for one in fired if one.expected]
        deals = [one for one in self.outcomes if one.expected]
        rates = {
            "fire precision": Rate(hits=len(true), total=len(fired)),
            "fire recall": Rate(hits=len(true), total=len(deals)),
            "status right (fired)": Rate(hits=sum(one.status for one in true), total=len(true)),
            "type right (fired)": Rate(hits=sum(one.deal_type for one in true), total=len(true)),
            "parties exact (fired)": Rate(hits=sum(one.parties for one in true), total=len(true)),
            "whole answer precision": Rate(hits=sum(one.whole for one in true), total=len(fired)),
            "whole answer recall": Rate(hits=sum(one.whole for one in true), total=len(deals)),
        }
        if self.sides:
            rates["other side named"] = Rate(hits=sum(self.sides), total=len(self.sides))
        return rates

    def f1(self, axis: str) -> float:
        rates = self.rates()
        precision, recall = rates[f"{axis} precision"].value, rates[f"{axis} recall"].value
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    def as_dict(self) -> dict[str, Any]:
        scores: dict[str, Any] = {
            name: {"value": round(rate.value, 4), "bound": round(rate.bound, 4), "hits": rate.hits, "total": rate.total}
            for name, rate in self.rates().items()
        }
        scores["fire F1"] = {"value": round(self.f1("fire"), 4)}
        scores["whole answer F1"] = {"value": round(self.f1("whole answer"), 4)}
        return {"items": len(self.outcomes), "scores": scores, "wrong": [one.id for one in self.wrong()]}

    def wrong(self) -> list[Outcome]:
        return [one for one in self.outcomes if (one.expected and not one.whole) or (one.claims and not one.expected)]

    def text(self) -> str:
        lines = [f"{len(self.outcomes)} strict items"]
        for name, rate in self.rates().items():
            lines.append(f"{name:<26} {rate.value:.3f}  ({rate.hits}/{rate.total}, 90% sure of {rate.bound:.3f})")
        lines.append(f"{'fire F1':<26} {self.f1('fire'):.3f}")
        lines.append(f"{'whole answer F1':<26} {self.f1('whole answer'):.3f}")
        return "\n".join(lines)


def evaluate(
    labels: Path,
    texts: Path,
    rules: Sequence[Path] = (),
    *,
    one_side: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Report:
    """Score the monitor's detection on labelled texts. Each text is read with only its own `watch` watched.

    `one_side`: read each deal of two parties again with one of them watched, both ways, and score the other's name.
    Raises ConfigError for a line that is no JSON object, or a label without a text; RuleError for a bad rule file.
    """
    lexicon = load_lexicon(rules)
    known = catalogue()
    by_id = {str(row["id"]): row for row in _lines(texts)}
    report = Report()
    rows = list(_lines(labels))
    for number, label in enumerate(rows, 1):
        progress("texts", number - 1, len(rows))
        if label.get("ambiguous"):
            continue
        text = by_id.get(str(label["id"]))
        if text is None:
            raise ConfigError(
                str(labels), f"line {number}", f"no text has the id {label['id']!r}", f"add it to {texts}"
            )
        watch = tuple(_company(entry) for entry in label.get("watch", ()))
        article = _article(text)
        report.outcomes.append(_judge(label, text, Reader(lexicon, watch, known).read(article).claims))
        if one_side and len(label["parties"]) == 2:
            for name in label["parties"]:
                reader = Reader(lexicon, tuple(company for company in watch if company.name == name), known)
                report.sides += _other_side(label, watch, name, reader.read(article).claims)
    return report


def _judge(label: dict[str, Any], text: dict[str, Any], claims: Sequence[Claim]) -> Outcome:
    others = [(_names(event["parties"]), event["status"]) for event in label.get("other_events", ())]
    scored = [_score(label, claim) for claim in claims]
    best = max(scored, key=sum, default=(False, False, False))
    expected = label["status"] != "none"
    if not expected:
        claims = [claim for claim in claims if (_names(claim.parties), _word(claim.status)) not in others]
    return Outcome(
        id=str(label["id"]), title=str(text.get("title", "")), expected=expected, claims=tuple(claims),
        parties=best[0], deal_type=best[1], status=best[2],
    )  # fmt: skip


def _score(label: dict[str, Any], claim: Claim) -> tuple[bool, bool, bool]:
    types = label.get("accept_deal_type") or [label["deal_type"]]
    statuses = label.get("accept_status") or [label["status"]]
    status = claim.status in statuses or _word(claim.status) in statuses
    return _names(claim.parties) == _names(label["parties"]), claim.deal_type in types, status


def _other_side(label: dict[str, Any], watch: Sequence[Company], name: str, claims: Sequence[Claim]) -> list[bool]:
    """Was the party that is not `name` named, and nobody else? Nothing is scored where nothing fired."""
    if not claims:
        return []
    other = next(party for party in label["parties"] if party != name)
    spellings = {other.lower()}
    for company in watch:
        if company.name == other:
            spellings |= {alias.lower() for alias in company.aliases}
    named = [
        party.lower() for party in max(claims, key=lambda claim: sum(_score(label, claim))).parties if party != name
    ]
    return [len(named) == 1 and any(form in named[0] or named[0] in form for form in spellings)]


def _word(status: str) -> str:
    return _STATUS.get(status, status)


def _names(parties: Iterable[str]) -> frozenset[str]:
    return frozenset(party.lower() for party in parties)


def _company(entry: dict[str, Any]) -> Company:
    return Company(
        name=entry["name"],
        aliases=tuple(entry.get("aliases", ())),
        products=tuple(entry.get("products", ())),
        tickers=tuple(entry.get("tickers", ())),
    )


def _article(text: dict[str, Any]) -> Article:
    body = text.get("body")
    if body is None:
        body = text.get("text", "")
    return Article(
        article_id=str(text["id"]), title=str(text.get("title", "")), text=str(body), url=str(text.get("url", ""))
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(
                str(path), f"line {number}", f"not JSON: {error}", "write one JSON object a line"
            ) from None
        if not isinstance(row, dict) or "id" not in row:
            raise ConfigError(str(path), f"line {number}", "not an object with an `id`", "write one JSON object a line")
        rows.append(row)
    return rows
