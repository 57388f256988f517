"""Which known deal a claim is about: the table of [identity] in `rules/changes.toml`, word for word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.events.names import pair_up, words
from monitor.events.rules import ChangeRules, Identity
from monitor.events.values import CLOSE, amount
from monitor.models import FAMILY, Claim, Event

_KIND = {"same": 4, "fewer": 3, "more": 2, "partial": 1}


@dataclass(frozen=True, slots=True)
class Match:
    """A known deal that a claim may be about, and how well it fits."""

    event: Event
    kind: str  # the claim's parties against the event's: same, fewer, more, partial
    pairs: dict[int, int]  # claimed party -> known party (indices)
    loose: bool  # good enough only if no other deal fits as well
    rank: tuple[int, bool, bool, bool, bool, datetime, str]


def find(claim: Claim, at: datetime, known: Iterable[Event], rules: ChangeRules, window_days: float) -> list[Match]:
    """The deals that a claim of time `at` is about: none (a new one), one, or several that it tells of together."""
    matches = [m for event in known if (m := match(claim, at, event, rules, window_days))]
    strict = [m for m in matches if not m.loose]
    if not any(m.kind in ("same", "fewer") for m in strict):
        told = [m for m in strict if m.kind == "more" and len(m.pairs) > 1]
        if len(told) > 1 and set().union(*(m.pairs for m in told)) == set(range(len(claim.parties))):
            return sorted(told, key=lambda m: m.event.event_id)
    if strict:
        return [max(strict, key=lambda m: m.rank)]
    alone = [m for m in matches if m.kind == "same"]
    if alone or len(matches) == 1:
        return [max(alone or matches, key=lambda m: m.rank)]
    return []


def match(claim: Claim, at: datetime, event: Event, rules: ChangeRules, window_days: float) -> Match | None:
    """How the claim fits one known deal; None if it is about another one."""
    pairs = pair_up(claim.parties, event.parties, claim.watched, event.watched)
    if pairs and abs(at - (event.last_claim or at)) <= timedelta(days=rules.identity.short_days):
        pairs |= _namesakes(claim, event, pairs, rules)
    if not pairs or event.merged_into or _roles_part(claim, event, pairs, rules.identity):
        return None
    more, fewer = len(pairs) < len(claim.parties), len(pairs) < len(event.parties)
    kind = "partial" if more and fewer else "more" if more else "fewer" if fewer else "same"
    days, loose = _reach(claim, event, pairs, kind, rules, window_days)
    gap = abs(at - (event.last_claim or at))
    if days < 0 or gap > timedelta(days=days) or is_another(claim, at, event, rules):
        return None
    rank = (
        _KIND[kind],
        FAMILY[claim.deal_type] == FAMILY[event.deal_type],
        claim.deal_type == event.deal_type,
        same_value(claim, event),
        bool(set(claim.marks) & set(event.marks)),
        event.last_claim or at,
        event.event_id,
    )
    return Match(event, kind, pairs, loose, rank)


def _namesakes(claim: Claim, event: Event, pairs: dict[int, int], rules: ChangeRules) -> dict[int, int]:
    """The one party left over on each side, if both names begin with the same telling word: one name written twice."""
    left = [i for i in range(len(claim.parties)) if i not in pairs]
    right = [j for j in range(len(event.parties)) if j not in pairs.values()]
    if len(left) != 1 or len(right) != 1 or not kin(claim.deal_type, event.deal_type, rules):
        return {}
    name, other = claim.parties[left[0]], event.parties[right[0]]
    first = words(name)[0]
    known = name in claim.watched and other in event.watched
    if known or first != words(other)[0] or len(first) < 5 or first in rules.identity.generic_words:
        return {}
    return {left[0]: right[0]}


def is_another(claim: Claim, at: datetime, event: Event, rules: ChangeRules) -> bool:
    """True if the claim says that it is another deal than this one of the same parties."""
    identity = rules.identity
    if event.status not in identity.settled:
        return False
    since = at - (event.first_seen or at)
    if claim.marks and not set(claim.marks) & set(event.marks) and since > timedelta(days=identity.mark_days):
        return True
    sourced = claim.sourcing != "unattributed"
    settled = at - (event.status_at or event.last_claim or at)
    return (
        claim.status == "rumour"
        and sourced
        and event.status != "terminated"
        and "acquisition" not in (claim.deal_type, event.deal_type)
        and settled > timedelta(days=identity.late_rumour_days)
    )


def same_value(claim: Claim, event: Event) -> bool:
    """True if both state a sum, and the sums are the same but for rounding (5%)."""
    one, other = amount(claim.value), amount(event.value)
    return bool(one and other and one.near(other, CLOSE))


def kin(one: str, other: str, rules: ChangeRules) -> bool:
    """True if the deal types are equal, or one says more of what the other says."""
    return one == other or one in rules.precise[other] or other in rules.precise[one]


def _roles_part(claim: Claim, event: Event, pairs: dict[int, int], identity: Identity) -> bool:
    """Different targets, or different suitors: both sides name one, and neither is known to the other side."""
    for group in (identity.object_roles, identity.suitor_roles):
        claimed = {i for i, role in enumerate(claim.roles) if role in group}
        known = {j for j, role in enumerate(event.roles) if role in group}
        shared = any(pairs.get(i) in known for i in claimed)
        if claimed and known and not shared and claimed - pairs.keys() and known - set(pairs.values()):
            return True
    return False


def _reach(
    claim: Claim, event: Event, pairs: dict[int, int], kind: str, rules: ChangeRules, window: float
) -> tuple[float, bool]:
    """Days since the deal's last claim within which the claim is about it (-1 = never), and whether that is loose."""
    identity = rules.identity
    if FAMILY[claim.deal_type] != FAMILY[event.deal_type]:
        return (identity.bridge_days if kind == "same" and len(pairs) > 1 else -1), False
    if len(pairs) > 1:
        ends = claim.status in identity.closing and event.status in identity.pending and kind != "partial"
        return max(window, identity.closing_days) if ends else window, False
    i, j = next(iter(pairs.items()))
    roles = {_role(claim.roles, i), _role(event.roles, j)}
    passive, active = bool(roles & identity.passive_roles), bool(roles & identity.active_roles)
    alike, equal = kin(claim.deal_type, event.deal_type, rules), same_value(claim, event)
    if passive and active:
        return -1, False
    if kind == "partial":
        return (identity.short_days if alike and equal else -1), True
    if passive:
        return window, False
    if not alike:
        return -1, True
    if equal or (kind == "fewer" and claim.status in identity.closing and event.status in identity.pending):
        return window, True
    if kind == "same":
        return (identity.short_days if active else identity.alone_days), True
    both_end = claim.status == event.status and claim.status in identity.closing
    named_later = not active and event.status == "rumour"
    return (identity.short_days if kind == "fewer" or both_end or named_later else -1), True


def _role(roles: tuple[str, ...], index: int) -> str:
    return roles[index] if index < len(roles) else ""
