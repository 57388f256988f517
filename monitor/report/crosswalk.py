"""Our words in the codes of others, so that exports can stand beside bought data. Facts: the vendors' public lists.

S&P Capital IQ Key Development types: partnership, licensing and joint venture are 22, a supply contract 23; of an
acquisition, talk (rumour, denied, expired) is 65, announced 80, completed 81, terminated 82; of an investment, talk is
65 as well, everything else 83. Zephyr deal statuses go by our status alone. CORE relations go by the deal type: a
merger is an acquisition in which nobody is named as the buyer.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.models import DealType, Event, Status

CAPITAL_IQ = {
    22: "Strategic Alliances",
    23: "Client Announcements",
    65: "M&A Rumors and Discussions",
    80: "M&A Transaction Announcements",
    81: "M&A Transaction Closings",
    82: "M&A Transaction Cancellations",
    83: "Private Placements",
}
_TALK = frozenset({"rumour", "denied", "expired"})
_ACQUISITION: dict[Status, int] = {"announced": 80, "completed": 81, "terminated": 82}
_COMMERCIAL: dict[DealType, int] = {"partnership": 22, "licensing": 22, "joint_venture": 22, "supply_contract": 23}
_ZEPHYR: dict[Status, str] = {
    "rumour": "Rumour",
    "expired": "Rumour - Expired",
    "denied": "Rumour - Withdrawn",
    "announced": "Announced",
    "completed": "Completed",
    "terminated": "Withdrawn",
}
_CORE: dict[DealType, str] = {
    "partnership": "collaboration",
    "licensing": "collaboration",
    "joint_venture": "collaboration",
    "supply_contract": "client_of",
    "investment": "shareholder_of",
    "acquisition": "acquired_by",
}


@dataclass(frozen=True, slots=True)
class Codes:
    """One version of a deal in the codes of others."""

    capital_iq: int
    capital_iq_name: str
    zephyr: str
    core: str


def codes(event: Event) -> Codes:
    """The codes for the deal's type and status. Talks that ended before any announcement are withdrawn rumours."""
    number = _capital_iq(event.deal_type, event.status)
    zephyr = _ZEPHYR[event.status]
    if event.status == "terminated" and event.status_before in _TALK:
        zephyr = "Rumour - Withdrawn"
    core = _CORE[event.deal_type]
    if event.deal_type == "acquisition" and not {"target", "acquirer"} & set(event.roles):
        core = "merged_with"
    return Codes(number, CAPITAL_IQ[number], zephyr, core)


def _capital_iq(deal_type: DealType, status: Status) -> int:
    if deal_type in _COMMERCIAL:
        return _COMMERCIAL[deal_type]
    if status in _TALK:
        return 65
    return 83 if deal_type == "investment" else _ACQUISITION[status]
