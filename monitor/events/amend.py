"""Changes to deals that no claim makes: time passing, a person merging or splitting. Ids stay valid (tombstones)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from monitor.events.fold import FoldSettings, fold
from monitor.events.names import lookup_keys, pair_up
from monitor.models import FAMILY, Claim, Event, stable_key

T = TypeVar("T")


def expire(known: Iterable[Event], now: datetime, settings: FoldSettings) -> list[Event]:
    """A new version, `expired`, of each rumour that nobody told of for `rumour_expires_days`.

    A rumour that was only recorded (baseline) expires without an alert.
    """
    limit = timedelta(days=settings.rumour_expires_days)
    return [
        replace(
            event,
            version=event.version + 1,
            changed_at=now,
            change="expired",
            status="expired",
            status_before="rumour",
            status_at=now,
            what=f"nobody confirmed it in {settings.rumour_expires_days:g} days",
            claim_keys=(),
        )
        for event in known
        if event.status == "rumour" and not event.merged_into and now - (event.last_claim or now) > limit
    ]


def merge(into: Event, other: Event, now: datetime) -> list[Event]:
    """Two deals that are one: the first with what the second knew, and a tombstone of the second. Raises no alert."""
    if into.event_id == other.event_id or into.merged_into or other.merged_into:
        raise ValueError("only two living deals can be merged")
    pairs = pair_up(other.parties, into.parties, other.watched, into.watched)
    extra = [i for i in range(len(other.parties)) if i not in pairs]
    parties = into.parties + tuple(other.parties[i] for i in extra)
    roles = _padded(into) + tuple(_padded(other)[i] for i in extra)
    firsts = [t for t in (into.first_seen, other.first_seen) if t]
    lasts = [t for t in (into.last_claim, other.last_claim) if t]
    keys = lookup_keys(parties, FAMILY[into.deal_type])
    merged = replace(
        _step(into, now, f"merged with {other.event_id}"),
        parties=parties,
        roles=roles if any(roles) else (),
        watched=_union(into.watched, other.watched),
        origins=_union(into.origins, other.origins),
        outlets=_union(into.outlets, other.outlets),
        urls=_union(into.urls, other.urls)[-20:],
        feeds=_union(into.feeds, other.feeds),
        marks=_union(into.marks, other.marks),
        folded=_union(into.folded, other.folded),
        prints=_union(into.prints, other.prints),
        value=into.value or other.value,
        terms=_union(into.terms, other.terms),
        claim_count=into.claim_count + other.claim_count,
        first_seen=min(firsts, default=None),
        last_claim=max(lasts, default=None),
        lookup=_union(_union(into.lookup, other.lookup), keys),
    )
    grave = replace(_step(other, now, f"merged into {into.event_id}"), merged_into=into.event_id)
    return [merged, grave]


def split(
    event: Event, claims: Sequence[Claim], moved: Collection[int], now: datetime, settings: FoldSettings
) -> list[Event]:
    """One deal that is two: `claims` are all of its claims in stored order, `moved` the keys of those that leave.

    The deal keeps its id and is told anew from the claims that stay; those that leave make one new deal. No alert.
    """
    stay = [c for c in claims if c.claim_key not in moved]
    leave = [c for c in claims if c.claim_key in moved]
    if not stay or not leave:
        raise ValueError("a split needs claims on both sides")
    kept = _told(stay, now, settings, event.event_id, event.version + 1, f"split off {len(leave)} claims")
    fresh_id = f"{stable_key('split', event.event_id, *map(str, sorted(moved))):016x}"
    other = _told(leave, now, settings, fresh_id, 1, f"split from {event.event_id}")
    return [kept, other]


def _told(
    claims: Sequence[Claim], now: datetime, settings: FoldSettings, event_id: str, version: int, what: str
) -> Event:
    """One deal from all of the claims, though the rules of identity would tell them apart."""
    parts = fold((), claims, now, settings)
    newest = {part.event_id: part for part in parts}
    first, *rest = newest.values()
    for other in rest:
        first = merge(first, other, now)[0]
    return replace(
        first,
        event_id=event_id,
        version=version,
        change=None,
        status_before=first.status,
        what=what,
        claim_keys=tuple(c.claim_key for c in claims),
        folded=tuple(c.claim_key for c in claims),
    )


def _step(event: Event, now: datetime, what: str) -> Event:
    """The next version of a deal, as yet the same but for what every amended version sets."""
    version = event.version + 1
    return replace(
        event, version=version, changed_at=now, change=None, status_before=event.status, what=what, claim_keys=()
    )


def _padded(event: Event) -> tuple[str, ...]:
    return (event.roles + ("",) * len(event.parties))[: len(event.parties)]


def _union(one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))
