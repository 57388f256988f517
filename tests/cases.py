"""Our own labelled texts (`tests/data/cases/*.toml`) and the scores of a detector on them.

The labels were written by reading, without knowledge of the rules, after the conventions of the label guide that lies
beside the project: judged on the text alone; one main event a text. This module does not know how detection works: a
detector is any function from a case to claims (objects with `parties`, `deal_type`, `status`).

Fields of a case, beyond the obvious: `watch` is what the user watches (the watchlist is made of it alone), `companies`
gives the aliases of any company in the text, watched or not; `optional_parties` may be named or left out (units and
states); `accept_*` list every answer that counts as right; `ambiguous` cases are left out of the strict scores;
`other_events` are further true events, neither required nor false.

    python tests/cases.py [FOLDER] [--errors] [--by FIELD]
"""

from __future__ import annotations

import argparse
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from monitor.models import Article, Company

CASES = Path(__file__).parent / "data" / "cases"
Z_90 = 1.2816  # one-sided 90 %
SUFFIX = re.compile(
    r"[\s,]+(?:incorporated|inc|corporation|corp|company|co|limited|ltd|plc|llc|lp|gmbh|ag|se|sa|s\.a|spa|s\.p\.a|nv|n\.v|bv|ab|"
    r"asa|as|a/s|oyj|oy|kk|k\.k|holdings?|pvt|pte|pty|bhd)\.?$"
)


class Found(Protocol):
    """What a detector says of one deal."""

    @property
    def parties(self) -> tuple[str, ...]: ...
    @property
    def deal_type(self) -> str: ...
    @property
    def status(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One labelled text."""

    id: str
    style: str
    title: str
    text: str
    watch: tuple[str, ...]
    parties: tuple[str, ...]
    deal_type: str
    status: str
    companies: tuple[Company, ...] = ()
    not_parties: tuple[str, ...] = ()
    optional_parties: tuple[str, ...] = ()
    accept_deal_type: tuple[str, ...] = ()
    accept_status: tuple[str, ...] = ()
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    other_events: tuple[dict[str, Any], ...] = ()
    sourcing: str = ""
    origin: tuple[str, ...] = ()
    ambiguous: bool = False
    note: str = ""

    @property
    def silent(self) -> bool:
        return self.status == "none"

    @property
    def article(self) -> Article:
        return Article(article_id=self.id, title=self.title, text=self.text)

    @property
    def watchlist(self) -> tuple[Company, ...]:
        """The watched companies only, with their aliases."""
        known = {company.name: company for company in self.companies}
        return tuple(known.get(name, Company(name=name)) for name in self.watch)

    def canonical(self, name: str) -> str:
        """One form for all names of a company: the case's own aliases first, else no article, no legal form."""
        bare = plain(name)
        for company in self.companies:
            if bare in {plain(known) for known in (company.name, *company.aliases)}:
                return plain(company.name)
        return bare

    def names(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self.canonical(name) for name in names)


def plain(name: str) -> str:
    """Case, article, legal form and typographic marks taken off: "The Halverson Gear Co." -> "halverson gear"."""
    text = re.sub(r"\s+", " ", name.replace("\u2019", "'").casefold()).strip(" .,'\"")
    text = re.sub(r"'s$", "", text.removeprefix("the "))
    while (shorter := SUFFIX.sub("", text)) != text and shorter:
        text = shorter
    return re.sub(r"[^\w&+ ]", "", text.replace("-", " ")).strip()


def load_cases(folder: Path = CASES) -> tuple[Case, ...]:
    """All cases of a folder. Raises ValueError for a repeated id, KeyError or TypeError for a field amiss."""
    cases: list[Case] = []
    for path in sorted(folder.glob("*.toml")):
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["cases"]
        cases.extend(to_case(row) for row in rows)
    twice = [case_id for case_id, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise ValueError(f"{folder}: ids used twice: {', '.join(twice)}")
    return tuple(cases)


def to_case(row: dict[str, Any]) -> Case:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    values["companies"] = tuple(
        Company(name=entry["name"], aliases=tuple(entry.get("aliases", ()))) for entry in row.get("companies", ())
    )
    values["roles"] = {
        role: (who,) if isinstance(who, str) else tuple(who) for role, who in row.get("roles", {}).items()
    }
    values.setdefault("accept_deal_type", (row["deal_type"],))
    values.setdefault("accept_status", (row["status"],))
    return Case(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a detector made of one case."""

    case: Case
    fired: bool
    best: Found | None = None  # the claim that comes nearest to the label
    parties: bool = False
    deal_type: bool = False
    status: bool = False
    other_named: bool = False  # a party that nobody watches is named
    wrong_party: bool = False  # one of `not_parties` is named
    extra: int = 0  # claims that are neither the main event nor one of the others

    @property
    def whole(self) -> bool:
        return self.parties and self.deal_type and self.status

    @property
    def one_sided(self) -> bool:
        """A deal of two parties, of which the user watches one."""
        case = self.case
        return len(case.parties) == 2 and len(case.names(case.watch) & case.names(case.parties)) == 1


def judge(case: Case, found: Sequence[Found]) -> Verdict:
    """Compare a detector's claims with the label; the claim nearest to the label is the answer."""
    claims = [claim for claim in found if claim.status != "none"]
    if not claims:
        return Verdict(case=case, fired=False)
    wanted, spare = case.names(case.parties), case.names(case.optional_parties)

    def marks(claim: Found) -> tuple[bool, bool, bool, int]:
        named = case.names(claim.parties)
        return (
            named - spare == wanted - spare,
            claim.deal_type in case.accept_deal_type,
            claim.status in case.accept_status,
            len(named & wanted),
        )

    best = max(claims, key=marks)
    parties, deal_type, status, _ = marks(best)
    named = case.names(best.parties)
    unwatched = wanted - case.names(case.watch)
    others = [case.names(event["parties"]) for event in case.other_events]
    extra = sum(1 for claim in claims if claim is not best and case.names(claim.parties) not in others)
    return Verdict(
        case=case,
        fired=True,
        best=best,
        parties=parties,
        deal_type=deal_type,
        status=status,
        other_named=unwatched <= named,
        wrong_party=bool(named & case.names(case.not_parties)),
        extra=extra,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share with what it is a share of."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 1.0

    @property
    def low(self) -> float:
        """One-sided 90 % lower bound (Wilson)."""
        if not self.of:
            return 0.0
        p, n, z = self.value, self.of, Z_90
        middle = p + z * z / (2 * n) - z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle / (1 + z * z / n))

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.hits}/{self.of}, >={self.low:.3f})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The figures of issue "Detection that a desk can trust", on the cases that are not ambiguous."""

    fire_precision: Rate
    fire_recall: Rate
    status: Rate  # among true items that fired
    deal_type: Rate  # "
    parties: Rate  # exact set, "
    whole_precision: Rate  # right answers among all that fired
    whole_recall: Rate  # right answers among all true items
    other_named: Rate  # two-party deals with one side watched that fired: the other side is named
    other_named_of_all: Rate  # the same, over all such deals
    wrong_party: Rate  # true items that fired and name one of not_parties; the only rate that should be low
    extra: int  # spare claims
    verdicts: tuple[Verdict, ...]

    @property
    def fire_f1(self) -> float:
        return f1(self.fire_precision.value, self.fire_recall.value)

    @property
    def whole_f1(self) -> float:
        return f1(self.whole_precision.value, self.whole_recall.value)

    def table(self) -> str:
        rows = [
            ("fire precision", str(self.fire_precision)),
            ("fire recall", str(self.fire_recall)),
            ("fire F1", f"{self.fire_f1:.3f}"),
            ("status right (fired)", str(self.status)),
            ("type right (fired)", str(self.deal_type)),
            ("parties exact (fired)", str(self.parties)),
            ("whole answer precision", str(self.whole_precision)),
            ("whole answer recall", str(self.whole_recall)),
            ("whole answer F1", f"{self.whole_f1:.3f}"),
            ("other side named (fired)", str(self.other_named)),
            ("other side named (all)", str(self.other_named_of_all)),
            ("a non-party named (fired)", str(self.wrong_party)),
            ("spare claims", str(self.extra)),
        ]
        return "\n".join(f"{name:<28}{value}" for name, value in rows)


def f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score(cases: Iterable[Case], detect: Callable[[Case], Sequence[Found]]) -> Scores:
    """Run the detector over the cases and count. Ambiguous cases are left out."""
    verdicts = tuple(judge(case, detect(case)) for case in cases if not case.ambiguous)
    return count(verdicts)


def count(verdicts: Sequence[Verdict]) -> Scores:
    fired = [verdict for verdict in verdicts if verdict.fired]
    true = [verdict for verdict in verdicts if not verdict.case.silent]
    hit = [verdict for verdict in fired if not verdict.case.silent]
    sided = [verdict for verdict in true if verdict.one_sided]

    def rate(what: Callable[[Verdict], bool], among: Sequence[Verdict]) -> Rate:
        return Rate(hits=sum(1 for verdict in among if what(verdict)), of=len(among))

    return Scores(
        fire_precision=Rate(hits=len(hit), of=len(fired)),
        fire_recall=Rate(hits=len(hit), of=len(true)),
        status=rate(lambda verdict: verdict.status, hit),
        deal_type=rate(lambda verdict: verdict.deal_type, hit),
        parties=rate(lambda verdict: verdict.parties, hit),
        whole_precision=Rate(hits=sum(verdict.whole for verdict in hit), of=len(fired)),
        whole_recall=rate(lambda verdict: verdict.whole, true),
        other_named=rate(lambda verdict: verdict.other_named, [verdict for verdict in sided if verdict.fired]),
        other_named_of_all=rate(lambda verdict: verdict.other_named, sided),
        wrong_party=rate(lambda verdict: verdict.wrong_party, [verdict for verdict in hit if verdict.case.not_parties]),
        extra=sum(verdict.extra for verdict in hit),
        verdicts=tuple(verdicts),
    )


def reader_detect() -> Callable[[Case], Sequence[Found]]:
    """The monitor's own reader, told of nothing but what the case watches."""
    from monitor.claims import Reader  # here, so that labels and scorer work without the detector
    from monitor.companies import catalogue
    from monitor.lexicon import load_lexicon

    lexicon = load_lexicon()

    @cache
    def reader(watchlist: tuple[Company, ...]) -> Any:
        return Reader(lexicon, watchlist, catalogue())

    def detect(case: Case) -> Sequence[Found]:
        claims: Sequence[Found] = reader(case.watchlist).read(case.article).claims
        return claims

    return detect


def error_line(verdict: Verdict) -> str:
    case, best = verdict.case, verdict.best
    status, deal_type = "|".join(case.accept_status), "|".join(case.accept_deal_type)
    want = "silent" if case.silent else f"{status} {deal_type} {case.parties}"
    got = f"{best.status} {best.deal_type} {tuple(best.parties)}" if best else "silent"
    text = f" | {case.text[:160]}" if case.text else ""
    return f"{case.id}: {case.title}{text}\n    want {want}\n    got  {got}"


def is_right(verdict: Verdict) -> bool:
    return not verdict.fired if verdict.case.silent else verdict.whole


def breakdown(scores: Scores, by: str) -> str:
    groups: dict[str, list[Verdict]] = {}
    for verdict in scores.verdicts:
        key = " ".join(str(getattr(verdict.case, name)) for name in by.split(","))
        groups.setdefault(key, []).append(verdict)
    rows = [f"{key:<36}{sum(map(is_right, group)):>4} of {len(group):<4}" for key, group in sorted(groups.items())]
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the monitor's reader on labelled cases.")
    parser.add_argument("folder", nargs="?", type=Path, default=CASES)
    parser.add_argument("--errors", action="store_true", help="list every wrong answer")
    parser.add_argument("--by", default="deal_type,status", help="fields to break the right answers down by")
    options = parser.parse_args()
    scores = score(load_cases(options.folder), reader_detect())
    print(scores.table(), breakdown(scores, options.by), sep="\n\n")
    if options.errors:
        print("", *(error_line(verdict) for verdict in scores.verdicts if not is_right(verdict)), sep="\n")


if __name__ == "__main__":
    main()
