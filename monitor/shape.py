"""What a sentence that was taken apart is made of: clauses, and groups of companies."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.lexicon import Hit
from monitor.models import Mention
from monitor.text import Token


@dataclass(slots=True)
class Group:
    """Companies joined by "and" or commas. `governor`: a preposition, "" (subject or start), or "hit" (see `hit`)."""

    members: list[int]  # indexes of company tokens
    governor: str = ""
    hit: Hit | None = None
    owner: bool = False  # followed by 's
    modifier: bool = False  # stands before another company and only describes it
    other: bool = False  # somebody else who is told by this company's name ("Acme's rival")
    clause: int = 0

    @property
    def start(self) -> int:
        return self.members[0]

    @property
    def end(self) -> int:
        return self.members[-1]


@dataclass(slots=True)
class Clause:
    start: int
    end: int
    kind: str = "main"  # main, plain, coordinate, after (background that may be news), background
    word: str = ""  # what began it


@dataclass(slots=True)
class Parsed:
    """A sentence taken apart."""

    text: str
    tokens: list[Token]
    mentions: dict[int, Mention]  # token index -> mention
    hits: list[Hit]
    clauses: list[Clause]
    groups: list[Group]
    clause_of: list[int] = field(default_factory=list)

    def clause(self, at: int) -> Clause:
        """The clause in which the token at `at` stands."""
        return self.clauses[self.clause_of[at]]

    def word(self, at: int) -> str:
        return self.tokens[at].low if 0 <= at < len(self.tokens) else ""


def before_apposition(parsed: Parsed, comma: int) -> int:
    """Where the name stands that the words up to this comma explain ("Acme, a maker of pens, and ..."), or -1."""
    for at in range(comma - 1, max(comma - 12, 0), -1):
        if parsed.tokens[at].kind == "company":
            return -1
        if parsed.word(at) == ",":
            explains = parsed.word(at + 1) in {"a", "an", "the", "its"} and parsed.tokens[at - 1].kind == "company"
            return at - 1 if explains else -1
    return -1


def cut(breaks: list[tuple[int, str, str]], length: int, tokens: list[Token]) -> list[Clause]:
    """The clauses of a sentence of `length` tokens that these breaks (place, kind of what follows, word) divide."""
    clauses: list[Clause] = []
    start, kind, word = 0, "main", ""
    for at, next_kind, next_word in breaks:
        if at > start:
            clauses.append(Clause(start, at, kind, word))
            start, kind, word = at, next_kind, next_word
        else:
            kind, word = next_kind, next_word
    clauses.append(Clause(start, length, kind, word))
    return clauses
