"""Who does what in a deal: the roles that the places around a deal word give, made consistent with each other.

A place alone misleads: the subject of "sells a stake" is no investor, that of "rejects a bid" no bidder. This module
knows which words turn the roles round, which roles belong to which type, and which role is left for the other party.
"""

from __future__ import annotations

from monitor.claims.frame import Frame, moved
from monitor.models import DealType

_COUNTERPART = {
    "acquirer": "target", "target": "acquirer", "investor": "recipient", "recipient": "investor",
    "licensor": "licensee", "licensee": "licensor", "supplier": "customer", "customer": "supplier",
}  # fmt: skip
# The words of one type for the roles of another: "buys chips from" makes a customer, not an acquirer.
_WORDS: dict[str, dict[str, str]] = {
    "acquisition": {"investor": "acquirer", "recipient": "target", "buyer": "acquirer"},
    "investment": {"acquirer": "investor", "target": "recipient", "buyer": "investor"},
    "supply_contract": {"acquirer": "customer", "seller": "supplier", "buyer": "customer", "target": "supplier"},
    "licensing": {"acquirer": "licensee", "seller": "licensor", "buyer": "licensee", "target": "licensor"},
}
_WINS = frozenset(
    "wins won win bags bagged lands landed secures secured gets receives received clinches nets scores".split()
)
_AWARDS = frozenset("awards awarded award hands handed gives gave places placed place grants granted".split())
_ATTRACTS = frozenset(
    "draws drew attracts attracted wins won secures secured gets got receives received lands seeks".split()
)
_REJECTING = frozenset({"deny", "denied-after"})


def settle_roles(frame: Frame, deal_type: DealType) -> dict[str, str]:
    """The roles of the frame's parties, by name; parties without a role are left out."""
    roles = dict(frame.roles)
    subjects = {frame.parsed.mentions[at].company for place, group in frame.filled if place == "subject"
                for at in group.members}  # fmt: skip
    if _sells(frame):
        for name in roles:
            roles[name] = "seller" if name in subjects else "buyer" if roles[name] == "party" else roles[name]
        roles |= dict.fromkeys(subjects & set(frame.parties), "seller")
        roles |= {frame.parsed.mentions[at].company: "buyer" for place, group in frame.filled if place == "to"
                  for at in group.members if frame.parsed.mentions[at].company in frame.parties}  # fmt: skip
    elif frame.noun and deal_type == "investment" and _ATTRACTS & _words_before(frame):
        roles |= dict.fromkeys(subjects & set(frame.parties), "recipient")
        roles |= dict.fromkeys(set(frame.parties) - subjects, "investor")
    elif frame.noun and _REJECTING & set(frame.reading.rules) and len(frame.parties) == 2:
        bidders = [name for name in frame.parties if name not in subjects]
        if len(bidders) == 1 and roles.get(bidders[0]) == "acquirer":  # "Acme rejects Borealis's bid"
            roles |= dict.fromkeys(subjects & set(frame.parties), "target")
    if frame.noun and frame.trigger.type == "supply_contract":
        _who_supplies(frame, subjects, roles)
    if moved(frame.parsed) and len(frame.parties) == 1:
        roles.clear()  # "shares surge after takeover bid": the bid may be its own or somebody else's
    words = _WORDS.get(deal_type, {})
    settled = {name: words.get(role, role) for name, role in roles.items()}
    settled = {name: role for name, role in settled.items() if role and role != "party"}
    _complement(frame.parties, settled)
    return {name: role for name, role in settled.items() if role}


def _who_supplies(frame: Frame, subjects: set[str], roles: dict[str, str]) -> None:
    """Winners of a contract supply, those who award it buy; who only signs may be either."""
    words = _words_before(frame)
    side = "supplier" if words & _WINS else "customer" if words & _AWARDS else ""
    for name in subjects & set(roles):
        if side:
            roles[name] = side
        elif len(roles) == 1 or "supplier" in roles.values():
            del roles[name]


def _words_before(frame: Frame) -> set[str]:
    return {token.low for token in frame.parsed.tokens[: frame.hit.start]}


def _sells(frame: Frame) -> bool:
    """Is it the subject that sells: "sells a stake", "stake sale", "considers sale of its stake"?"""
    if "holder" not in frame.trigger.checks and "majority" not in frame.trigger.checks and not _is_stake(frame):
        return False
    parsed, hit = frame.parsed, frame.hit
    if any(parsed.word(at).startswith("sale") for at in range(hit.start, hit.end + 1)):
        return True
    clause = parsed.clause(hit.start)
    return any(
        other.rule.id in {"sell", "sale.noun"} and clause.start <= other.start and other.end <= hit.start
        for other in parsed.hits
    )


def _is_stake(frame: Frame) -> bool:
    return frame.noun and frame.parsed.word(frame.hit.end - 1) in {"stake", "interest"}


def _complement(parties: list[str], roles: dict[str, str]) -> None:
    """Of two parties, the one without a role has the one that is left."""
    if len(parties) != 2:
        return
    known = [name for name in parties if name in roles]
    if len(known) == 1:
        other = next(name for name in parties if name != known[0])
        roles[other] = _COUNTERPART.get(roles[known[0]], "")
