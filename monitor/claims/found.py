"""What is found before it becomes a claim: records of one sentence and of one article. No logic."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.lexicon import Trigger
from monitor.models import Claim, DealType, Sourcing


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A deal word beside a watched company that gave no claim, and why."""

    sentence: str
    why: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one article gave."""

    article_id: str
    claims: tuple[Claim, ...]
    near_misses: tuple[NearMiss, ...] = ()


@dataclass(slots=True)
class Found:
    """A claim of one sentence, before the article's are merged."""

    parties: list[str]
    roles: dict[str, str]
    unsure: set[str]  # parties known by their form alone
    trigger: Trigger
    status: str
    rules: tuple[str, ...]
    sentence: str
    index: int
    headline: bool
    spans: list[str]
    deal_type: DealType
    value: str = ""
    terms: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    sourcing: Sourcing = "unattributed"
    origin: str = ""
    retold: bool = False  # somebody else's story
    support: list[Found] = field(default_factory=list)
