"""The fold: claims in, versions of deals out. Knows what is news about a deal; not who wants to hear it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.events.book import Book
from monitor.events.identity import Match, find
from monitor.events.names import asked_keys, lookup_keys, source_key, words
from monitor.events.origins import is_firm, is_new_origin, level_after, origin_of, origins_after, prints_of, weighed
from monitor.events.rules import CLAIMED, Cell, ChangeRules, default_rules
from monitor.events.values import amount
from monitor.models import FAMILY, ChangeKind, Claim, DealType, Event, Family, Sourcing, stable_key

_RANK: dict[Sourcing, int] = {"unattributed": 0, "unnamed_sources": 1, "named_report": 2, "party_statement": 3}
_FAMILIES: tuple[Family, Family] = ("commercial", "equity")
KEEP_URLS, KEEP_FOLDED, KEEP_PRINTS = 20, 2000, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSettings:
    """What the user may set of the fold; days."""

    story_window_days: float = 180
    rumour_expires_days: float = 90
    rules: ChangeRules = field(default_factory=default_rules)


def wanted_keys(claims: Iterable[Claim]) -> tuple[int, ...]:
    """The lookup keys of every known deal that these claims could be about, of either family."""
    return tuple(dict.fromkeys(k for c in claims for family in _FAMILIES for k in asked_keys(c.parties, family)))


def fold(known: Iterable[Event], claims: Sequence[Claim], now: datetime, settings: FoldSettings) -> list[Event]:
    """New versions of deals, in order, after `claims` (in the order in which they were stored).

    `known` holds the newest version of every deal found under `wanted_keys(claims)`. Claims folded before are skipped.
    Sightings of one deal with nothing in between share one version.
    """
    return fold_into(Book(known), claims, now, settings)


def fold_into(book: Book, claims: Sequence[Claim], now: datetime, settings: FoldSettings) -> list[Event]:
    """As `fold`, with a book that stays open: it knows the new versions from then on."""
    for claim in (weighed(claim, settings.rules) for claim in claims):
        at = claim_time(claim, now)
        if claim.claim_key in book.folded:
            continue
        matches = find(claim, at, book.near(claim), settings.rules, settings.story_window_days)
        for match in matches:
            one, told = (match, claim) if len(matches) == 1 else _narrowed(match, claim)
            book.put(_apply(one, told, at, now, settings))
        if not matches:
            book.put(_birth(claim, at, now))
    return book.taken()


def _narrowed(match: Match, claim: Claim) -> tuple[Match, Claim]:
    """What a claim that tells of several known deals says of one of them: nobody is a new party of it."""
    roles = (claim.roles + ("",) * len(claim.parties))[: len(claim.parties)]
    told = replace(
        claim, parties=tuple(claim.parties[i] for i in match.pairs), roles=tuple(roles[i] for i in match.pairs)
    )
    return replace(match, pairs=dict(enumerate(match.pairs.values()))), told


def claim_time(claim: Claim, now: datetime) -> datetime:
    """When the claim was made: its article's date, unless that is missing or in the future."""
    at = claim.published or claim.read_at or now
    return at if at <= now + timedelta(days=1) else claim.read_at or now


def _birth(claim: Claim, at: datetime, now: datetime) -> Event:
    """The first version of a deal that nobody told of before."""
    roles = (claim.roles + ("",) * len(claim.parties))[: len(claim.parties)]
    origin = origin_of(claim)
    weak = claim.outlet if claim.sourcing in ("unattributed", "named_report") else ""
    return Event(
        event_id=f"{stable_key('event', str(claim.claim_key)):016x}",
        version=1,
        parties=claim.parties,
        roles=roles if any(roles) else (),
        watched=claim.watched,
        deal_type=claim.deal_type,
        status=claim.status,
        changed_at=now,
        change="new",
        evidence_level=level_after("single_origin", claim, 1),
        sourcing=claim.sourcing,
        origins=tuple(filter(None, [origin or weak])),
        outlets=tuple(filter(None, [claim.outlet])),
        value=claim.value,
        terms=claim.terms,
        evidence=claim.evidence,
        title=claim.title,
        url=claim.url,
        outlet=claim.outlet,
        urls=tuple(filter(None, [claim.url])),
        claim_keys=(claim.claim_key,),
        claim_count=1,
        first_seen=at,
        last_claim=at,
        published=claim.published,
        baseline=claim.baseline,
        status_at=at,
        marks=claim.marks,
        feeds=tuple(filter(None, [claim.feed_url])),
        folded=(claim.claim_key,),
        prints=prints_of(claim),
        lookup=lookup_keys(claim.parties, FAMILY[claim.deal_type]),
    )


def _apply(match: Match, claim: Claim, at: datetime, now: datetime, settings: FoldSettings) -> Event:
    """The next version of a known deal."""
    event, rules = match.event, settings.rules
    cell = _cell(event, claim, at, rules)
    seen = _sighting(event, claim, at, now, rules)
    if cell.change == "stale":
        return seen
    parties, roles, new = _parties(match, claim)
    deal_type, type_news = _type(event, claim, rules)
    value, value_news = _value(event, claim, rules)
    origins, is_second = origins_after(event, claim, rules)
    change, what = _news(event, claim, cell, new, value_news, type_news, origin_of(claim) if is_second else "")
    state = claim.status if cell.change != "repeat" else event.status
    fresh = replace(
        seen,
        parties=parties,
        roles=roles,
        watched=event.watched + tuple(w for w in claim.watched if w in parties and w not in event.watched),
        deal_type=deal_type,
        status=state,
        value=value,
        terms=event.terms + tuple(t for t in claim.terms if t not in event.terms),
        origins=origins,
        sourcing=max(event.sourcing, claim.sourcing, key=_RANK.__getitem__),
        evidence_level=level_after(event.evidence_level, claim, len(origins) if is_firm(event, claim) else 1, state),
        prints=(seen.prints + tuple(p for p in prints_of(claim) if p not in seen.prints))[-KEEP_PRINTS:],
        marks=event.marks + tuple(m for m in claim.marks if m not in event.marks),
        lookup=tuple(dict.fromkeys((*seen.lookup, *lookup_keys(parties, FAMILY[deal_type])))),
    )
    if change is None:
        return fresh
    return replace(
        fresh,
        change=change,
        what=what,
        status_at=max(at, event.status_at or at) if state != event.status else event.status_at,
        evidence=claim.evidence or event.evidence,
        title=claim.title or event.title,
        url=claim.url or event.url,
        outlet=claim.outlet or event.outlet,
        published=claim.published,
        baseline=claim.baseline and event.baseline,
    )


def _cell(event: Event, claim: Claim, at: datetime, rules: ChangeRules) -> Cell:
    """The cell of the matrix, with its condition looked up: a condition that does not hold makes it stale."""
    cell = rules.matrix[event.status, claim.status]
    since = at - (event.status_at or at)
    if cell.condition and since < timedelta(0):
        return Cell("stale")
    if cell.condition in ("fresh", "weighty"):
        party = cell.condition == "weighty" and claim.sourcing == "party_statement"
        if not party and since < timedelta(days=rules.fresh_days) and not is_new_origin(event, claim, rules):
            return Cell("stale")
    return cell


def _sighting(event: Event, claim: Claim, at: datetime, now: datetime, rules: ChangeRules) -> Event:
    """The deal with one more article counted, and nothing else changed."""
    known = {source_key(outlet, rules.origins) for outlet in event.outlets}
    outlet = claim.outlet if claim.outlet and source_key(claim.outlet, rules.origins) not in known else ""
    urls = event.urls if not claim.url or claim.url in event.urls else (*event.urls, claim.url)
    return replace(
        event,
        version=event.version + 1,
        changed_at=now,
        change=None,
        status_before=event.status,
        what="",
        outlets=(*event.outlets, outlet) if outlet else event.outlets,
        urls=urls[-KEEP_URLS:],
        claim_keys=(claim.claim_key,),
        claim_count=event.claim_count + 1,
        first_seen=min(at, event.first_seen or at),
        last_claim=max(at, event.last_claim or at),
        feeds=event.feeds + ((claim.feed_url,) if claim.feed_url and claim.feed_url not in event.feeds else ()),
        folded=(*event.folded, claim.claim_key)[-KEEP_FOLDED:],
    )


def _parties(match: Match, claim: Claim) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Parties and roles of the deal with those of the claim, and the names that are new to it.

    A claim that names others beside a known pair adds them only from its headline or lead.
    """
    event = match.event
    parties = list(event.parties)
    roles = list((event.roles + ("",) * len(parties))[: len(parties)])
    new: list[str] = []
    for i, name in enumerate(claim.parties):
        role = claim.roles[i] if i < len(claim.roles) else ""
        j = match.pairs.get(i)
        if j is None:
            if len(match.pairs) > 1 and not claim.in_lead:
                continue
            parties.append(name)
            roles.append(role)
            new.append(name)
            continue
        roles[j] = roles[j] or role
        if parties[j] not in event.watched and (name in claim.watched or len(words(name)) > len(words(parties[j]))):
            parties[j] = name
    return tuple(parties), tuple(roles) if any(roles) else (), tuple(new)


def _type(event: Event, claim: Claim, rules: ChangeRules) -> tuple[DealType, bool]:
    """The deal's type, and whether its becoming precise is news.

    It is none where a known origin is retold in other words, nor once the deal is firm: then outlets choose theirs.
    """
    if claim.deal_type not in rules.precise[event.deal_type]:
        return event.deal_type, False
    told = claim.sourcing == "party_statement" or is_new_origin(event, claim, rules)
    return claim.deal_type, told and event.status == "rumour"


def _value(event: Event, claim: Claim, rules: ChangeRules) -> tuple[str, bool]:
    """The deal's value, and whether it is news: a first sum, or one that moved by more than a rounding.

    Only those who speak for themselves (a party, a source, a named report) can make news of a sum.
    """
    if not claim.value:
        return event.value, False
    told = claim.sourcing != "unattributed" and event.status in ("rumour", "announced")
    old, new = amount(event.value), amount(claim.value)
    if not event.value or old is None:
        return (claim.value, told and new is not None) if new or not event.value else (event.value, False)
    moved = new is not None and not new.near(old, rules.identity.value_change)
    return (claim.value, True) if moved and told else (event.value, False)


def _news(
    event: Event, claim: Claim, cell: Cell, new: tuple[str, ...], value: bool, type_: bool, second: str
) -> tuple[ChangeKind | None, str]:
    """What the claim changed, as a kind and in words; None and "" where it only repeats."""
    told = []
    if new:
        told.append(("new party: " if len(new) == 1 else "new parties: ") + ", ".join(new))
    if value:
        told.append(f"value: {claim.value}" + (f" (was {event.value})" if event.value else ""))
    if type_:
        told.append(f"type: {claim.deal_type.replace('_', ' ')} (was {event.deal_type.replace('_', ' ')})")
    open_ = event.status == "rumour" and event.evidence_level != "confirmed_by_party"
    if cell.change == "repeat" and open_ and claim.sourcing == "party_statement":
        told, second = [*told, "a party confirms the talks"], "a party"
    elif second and cell.change == "repeat" and open_ and event.evidence_level != "corroborated":
        told.append(f"second origin: {second}")
    else:
        second = ""
    if cell.change != "repeat":
        assert claim.status in CLAIMED
        return cell.change, "; ".join(told)  # type: ignore[return-value]  # the loader admits change kinds only
    if event.status in ("denied", "terminated", "completed") or not told:
        return None, ""
    return ("corroborated" if second and len(told) == 1 else "updated"), "; ".join(told)
