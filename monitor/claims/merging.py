"""From what single sentences assert to the deals of an article: one claim per deal, the headline weighs most."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.claims.found import Found
from monitor.models import FAMILY

LEAD = 3  # sentences of the body that may tell a deal of their own; later ones only support


def join(deals: list[Found], part: Found) -> None:
    """Add one sentence's find to the deals: as support of one that it tells again, or as a deal of its own."""
    for deal in deals:
        for name in part.unsure & set(part.parties):  # "Excel Entertainment" is the Excel of the headline
            same = next((known for known in deal.parties if name.lower().startswith(known.lower() + " ")), "")
            if same:
                part.parties = [same if party == name else party for party in part.parties]
    for deal in deals:
        if _same_deal(deal, part):
            deal.support.append(part)
            return
    deals.append(part)


def stands(deal: Found, deals: list[Found], first: int, *, listing: bool = False) -> bool:
    """May it be a claim: told in the lead, or early where the lead tells none? `first`: index of the first sentence."""
    if listing or deal.index <= first + LEAD - 1 or deal.headline:
        return True
    lead = [other for other in deals if other.index <= first + LEAD - 1]
    return not lead and deal.index <= first + 6


def apart(found: Found) -> list[Found]:
    """ "partnerships with A and B", "bids for A and B" are two deals: one for each company behind the plural."""
    several = _SEVERAL.get(found.trigger.type)
    if len(found.parties) < 3 or found.status != "rumour" or several is None or not several.search(found.sentence):
        return [found]
    first = next((name for name in found.parties if found.roles.get(name) == "acquirer"), found.parties[0])
    return [replace(found, parties=[first, other], support=[]) for other in found.parties if other != first]


_SEVERAL = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in (
        ("partnership", "partnerships|deals|alliances|tie-ups|agreements|collaborations|models"),
        ("acquisition", "bids|offers|takeovers|acquisitions"),
        ("supply_contract", "contracts|supply deals"),
    )
}


def _same_deal(deal: Found, other: Found) -> bool:
    ours, theirs = set(deal.parties), set(other.parties)
    if not ours & theirs:
        return False
    if ours <= theirs or theirs <= ours:
        vague = min(deal.trigger.rank, other.trigger.rank) == 1 or len(ours) == 1 or len(theirs) == 1
        return vague or FAMILY[deal.deal_type] == FAMILY[other.deal_type] or ours == theirs
    return len(ours & theirs) >= 2


def settle(deal: Found) -> None:
    """Settle parties, type, status, value and source of a deal from all sentences that tell it."""
    for other in deal.support:
        near = other.index <= deal.index + LEAD
        if near and _agree(deal, other):
            _add_parties(deal, other)
        told = deal.trigger.rank == 1 and deal.deal_type == "partnership" and other.deal_type != "partnership"
        vague = deal.trigger.rank == 1 or not deal.headline or _is_vague(deal)
        if near and ((vague and other.trigger.rank > deal.trigger.rank) or told):
            deal.deal_type, deal.trigger = other.deal_type, other.trigger
        retold = other.retold or other.sourcing in {"named_report", "unnamed_sources"}
        if near and deal.headline and deal.status == "announced" and other.status == "rumour" and retold:
            deal.status = "rumour"  # a headline often drops the "reportedly"
        if not deal.value and set(other.parties) >= set(deal.parties):
            deal.value = other.value
        if not deal.origin and other.origin:
            deal.origin, deal.sourcing = other.origin, other.sourcing
        if deal.sourcing == "unattributed":
            deal.sourcing = other.sourcing
        deal.rules = tuple(dict.fromkeys((*deal.rules, *other.rules)))


def _is_vague(deal: Found) -> bool:
    """ "pact", "cuts ties": two companies and no more."""
    loose = deal.trigger.id == "ties" or "vague_words" in deal.trigger.checks
    return loose and deal.deal_type == "partnership"


_OVER = frozenset({"denied", "terminated"})


def _agree(deal: Found, other: Found) -> bool:
    if len(deal.parties) < 2:
        return True
    return deal.deal_type == other.deal_type and (deal.status in _OVER) == (other.status in _OVER)


def _add_parties(deal: Found, other: Found) -> None:
    """Parties that a later sentence of the lead adds; one known by its form alone only where a party is missing."""
    for name in other.parties:
        sure = name not in other.unsure or len(deal.parties) < 2
        if name not in deal.parties and sure and set(deal.parties) <= set(other.parties):
            deal.parties.append(name)
            if name in other.roles:
                deal.roles[name] = other.roles[name]
