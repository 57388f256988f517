"""One deal: its versions, the articles behind each with their sentences, and where outlets say different things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from monitor.alerts import delivery_key
from monitor.events import amount
from monitor.events.names import pair_up
from monitor.models import Claim, Delivery, Event
from monitor.store import Store


class Verbatim(str):
    """Part of a longer text: its blanks at either end count."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence, and what it was read as."""

    text: Verbatim
    kind: str = ""  # party, trigger, status, source, value; "" for the rest
    why: str = ""  # the company, or the ids of the rules


@dataclass(frozen=True, slots=True)
class Step:
    """One version of the deal and the claims that made it."""

    event: Event
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What an outlet says on one point, and whether that contradicts the deal as known."""

    text: str
    differs: bool = False
    overtaken: bool = False  # it is not what is known now, but was said before that was


@dataclass(frozen=True, slots=True)
class Said:
    """The last word of one outlet."""

    outlet: str
    claim: Claim
    at: datetime | None
    status: Cell
    deal_type: Cell
    parties: Cell
    value: Cell
    source: str

    @property
    def differs(self) -> bool:
        return any(cell.differs for cell in (self.status, self.deal_type, self.parties, self.value))


@dataclass(frozen=True, slots=True)
class Life:
    """A deal from its first word to now."""

    event: Event  # as it stands
    steps: tuple[Step, ...]  # oldest first
    said: tuple[Said, ...]  # one per outlet, newest first
    deliveries: tuple[Delivery, ...]  # newest row per version and channel

    @property
    def claims(self) -> list[Claim]:
        return [claim for step in self.steps for claim in step.claims]


def life_of(store: Store, event_id: str, channels: Sequence[str]) -> Life | None:
    """The life of a deal; None if no deal has this id."""
    return next(iter(lives_of(store, [event_id], channels).values()), None)


def lives_of(store: Store, event_ids: Sequence[str], channels: Sequence[str]) -> dict[str, Life]:
    """The lives of several deals, read at once."""
    rows = store.scan("events").filter(pl.col("event_id").is_in(list(event_ids)))
    versions: dict[str, list[Event]] = {}
    for event in store.load("events", rows):
        versions.setdefault(event.event_id, []).append(event)
    every = [event for told in versions.values() for event in told]
    claims: dict[int, Claim] = store.rows("claims", [key for event in every for key in event.claim_keys])
    keys = [delivery_key(name, event.event_id, event.version) for event in every for name in channels]
    sent: dict[str, list[Delivery]] = {}
    for row in store.rows("deliveries", keys).values():
        sent.setdefault(row.event_id, []).append(row)
    return {key: _life(told, claims, sent.get(key, [])) for key, told in versions.items()}


def _life(versions: Sequence[Event], known: Mapping[int, Claim], deliveries: Sequence[Delivery]) -> Life:
    steps = tuple(Step(e, tuple(known[key] for key in e.claim_keys if key in known)) for e in versions)
    newest = versions[-1]
    return Life(
        newest,
        steps,
        last_words(newest, [claim for step in steps for claim in step.claims]),
        tuple(sorted(deliveries, key=lambda row: (row.at, row.version), reverse=True)),
    )


def last_words(event: Event, claims: Sequence[Claim]) -> tuple[Said, ...]:
    """What each outlet said last, newest first."""
    last: dict[str, Claim] = {}
    for claim in sorted(claims, key=_when):
        last[claim.outlet] = claim
    return tuple(_said(event, claim) for claim in sorted(last.values(), key=_when, reverse=True))


def _when(claim: Claim) -> float:
    at = claim.published or claim.read_at
    return at.timestamp() if at else 0.0


def _said(event: Event, claim: Claim) -> Said:
    pairs = pair_up(claim.parties, event.parties, claim.watched, event.watched)  # however a name is written
    more = [name for at, name in enumerate(claim.parties) if at not in pairs]
    less = [name for at, name in enumerate(event.parties) if at not in pairs.values()]
    parties = "; ".join(
        filter(None, (f"also {', '.join(more)}" if more else "", f"not {', '.join(less)}" if less else ""))
    )
    at = claim.published or claim.read_at
    other = claim.status != event.status
    old = bool(at and event.status_at and at < event.status_at)
    return Said(
        outlet=claim.outlet,
        claim=claim,
        at=at,
        status=Cell(claim.status, other and not old, other and old),
        deal_type=Cell(claim.deal_type, claim.deal_type != event.deal_type),
        parties=Cell(parties or "the same", bool(parties)),
        value=Cell(claim.value, bool(claim.value and event.value) and not _same(claim.value, event.value)),
        source=claim.origin,
    )


def _same(one: str, other: str) -> bool:
    first, second = amount(one), amount(other)
    if first and second:
        return (first.number, first.currency) == (second.number, second.currency)
    return one.casefold() == other.casefold()


def pieces(claim: Claim) -> tuple[Piece, ...]:
    """The evidence cut where its spans begin and end. Spans may overlap: the shorter one shows."""
    text = claim.evidence
    spans = sorted(_spans(claim), key=lambda span: span[0] - span[1])  # longest first: later ones paint over
    paint: list[tuple[str, str]] = [("", "")] * len(text)
    for start, end, label in spans:
        kind, _, why = label.partition(":")
        paint[start:end] = [(kind, why)] * (min(end, len(text)) - start)
    found: list[Piece] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or paint[at] != paint[start]:
            found.append(Piece(Verbatim(text[start:at]), *paint[start]))
            start = at
    return tuple(found)


def _spans(claim: Claim) -> list[tuple[int, int, str]]:
    found = []
    for span in claim.spans:
        start, end, label = span.split(":", 2)
        if 0 <= int(start) < int(end) and int(start) < len(claim.evidence):
            found.append((int(start), int(end), label))
    return found
