"""Who first said it: origins of claims, which of them are independent, and how sure a deal is for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from monitor.events.names import source_key
from monitor.events.rules import ChangeRules
from monitor.models import Claim, Event, EvidenceLevel, stable_key


def weighed(claim: Claim, rules: ChangeRules) -> Claim:
    """The claim without what does not hold: hearsay ("is reportedly in talks") is told by nobody in particular, and
    where every party is what is being bought, the roles were not understood."""
    if len(claim.parties) > 1 and all(role in rules.identity.object_roles for role in claim.roles):
        claim = replace(claim, roles=())
    said = set(re.findall(r"\w+", claim.evidence.casefold()))
    if claim.sourcing == "unnamed_sources" and not claim.origin and said & rules.hearsay and not said & rules.sources:
        return replace(claim, sourcing="unattributed")
    return claim


def origin_of(claim: Claim) -> str:
    """Who first said it, if the claim tells: the origin named, or an outlet with sources of its own; "" otherwise."""
    if claim.sourcing == "unnamed_sources":
        return claim.origin or claim.outlet
    return claim.origin if claim.sourcing == "named_report" else ""


def is_new_origin(event: Event, claim: Claim, rules: ChangeRules) -> bool:
    origin = origin_of(claim)
    if not origin or (not claim.origin and set(prints_of(claim)) & set(event.prints)):
        return False  # nobody, or a copy of a wire story
    if not claim.origin and _cites(claim, (*event.origins, *event.outlets)):
        return False  # "... , Pharma Beacon reported, citing people familiar with the matter"
    known = {source_key(name, rules.origins) for name in event.origins}
    return source_key(origin, rules.origins) not in known


def _cites(claim: Claim, names: Iterable[str]) -> bool:
    """Whether the sentence names one of these houses, other than the outlet itself."""
    said = f" {_flat(claim.evidence)} "
    plain = [_flat(name) for name in names if name.casefold() != claim.outlet.casefold()]
    return any(f" {name} " in said for name in plain if len(name) > 1)


def _flat(text: str) -> str:
    """Small letters and digits, words one space apart."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def is_firm(event: Event, claim: Claim) -> bool:
    """False while nobody but outlets that name no source has told of the deal."""
    return bool(origin_of(claim)) or event.sourcing != "unattributed"


def origins_after(event: Event, claim: Claim, rules: ChangeRules) -> tuple[tuple[str, ...], bool]:
    """Independent origins, and whether this claim brings the second one. The first firm one replaces a mere outlet."""
    if not is_new_origin(event, claim, rules):
        return event.origins, False
    if event.sourcing == "unattributed":
        return (origin_of(claim),), False
    origins = (*event.origins, origin_of(claim))
    return origins, len(origins) == 2


def level_after(before: EvidenceLevel, claim: Claim, origins: int, status: str | None = None) -> EvidenceLevel:
    """How sure the deal is now, given the status that it has."""
    status = status or claim.status
    if status == "denied" and claim.status == "denied" and claim.sourcing in ("party_statement", "unattributed"):
        return "denied_by_party"
    if status == claim.status and claim.status != "denied" and claim.sourcing == "party_statement":
        return "confirmed_by_party"
    if before == "confirmed_by_party" or (before == "denied_by_party" and status == "denied"):
        return before
    return "corroborated" if origins > 1 or before == "corroborated" else "single_origin"


def prints_of(claim: Claim) -> tuple[int, ...]:
    """A fingerprint of the evidence where it is some outlet's own: small letters and digits only."""
    if claim.sourcing == "unattributed" or not claim.evidence:
        return ()
    return (stable_key("print", "".join(c for c in claim.evidence.casefold() if c.isalnum())),)
