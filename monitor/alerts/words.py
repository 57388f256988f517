"""A deal in plain words: who, what, how sure, since when. Knows English; knows nothing of channels or markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from monitor.alerts.escape import safe_url
from monitor.models import ChangeKind, Event

TYPE = {
    "partnership": "partnership", "licensing": "licensing deal", "joint_venture": "joint venture",
    "supply_contract": "supply contract", "investment": "investment", "acquisition": "acquisition",
}  # fmt: skip
STATUS = {
    "rumour": "rumour", "announced": "announced", "completed": "completed", "denied": "denied",
    "terminated": "called off", "expired": "rumour, expired",
}  # fmt: skip
LABEL: dict[ChangeKind, str] = {
    "confirmed": "Confirmed", "completed": "Completed", "denied": "Denied", "terminated": "Called off",
    "revived": "Back on", "expired": "Expired", "corroborated": "Second origin", "updated": "Update",
}  # fmt: skip
_NEW = {
    "rumour": "Rumour", "announced": "New deal", "completed": "Completed", "denied": "Denied",
    "terminated": "Called off", "expired": "Expired",
}  # fmt: skip
# role that acts, role acted upon, and how to say it: {type} {link} {object} by {actor}
_FRAMES = {
    "acquisition": (("acquirer", "bidder", "buyer"), ("target", "asset"), "acquisition of {object} by {actor}"),
    "investment": (("investor",), ("recipient", "target"), "investment in {object} by {actor}"),
    "supply_contract": (("supplier",), ("customer",), "supply contract, {actor} to {object}"),
    "licensing": (("licensor",), ("licensee",), "licensing deal, {actor} to {object}"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A web address and the name under which it is shown."""

    url: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a layout may show of one change; strings are raw, the layout's form makes them harmless."""

    label: str  # "Rumour", "Confirmed", ...
    names: str
    what: str  # "acquisition of Ventyx Biosciences by Eli Lilly"
    status: str  # "rumour, per The Information, 2 outlets, 1 origin"
    value: str
    terms: str
    since: str  # what changed since the last alert on this deal; "" for the first
    sentence: str
    title: str
    outlet: str
    date: str
    link: Link | None
    others: tuple[Link, ...]
    page: Link | None  # the deal's own page, where the monitor serves one
    event_id: str
    type: str
    change: str
    subject: str


def card(event: Event, previous: Event | None, zone: tzinfo, page_url: str = "") -> Card:
    """The words for one change. `previous` is the version of the last alert on the deal."""
    url = safe_url(event.url)
    return Card(
        label=label(event),
        names=names(event.parties),
        what=what(event),
        status=status(event),
        value=event.value,
        terms=", ".join(event.terms),
        since=since(event, previous, zone),
        sentence=event.evidence or event.title,
        title=event.title,
        outlet=event.outlet,
        date=day(event.published, zone),
        link=Link(url, event.outlet or event.title or "article") if url else None,
        others=tuple(Link(u, "") for other in event.urls[-4:] if (u := safe_url(other)) and u != url),
        page=Link(f"{page_url}/events/{event.event_id}", "the deal so far") if page_url else None,
        event_id=event.event_id,
        type=TYPE[event.deal_type],
        change=event.change or "",
        subject=subject(event),
    )


def label(event: Event) -> str:
    """The change in one or two words."""
    if event.change in (None, "new"):
        return _NEW[event.status]
    assert event.change is not None
    return LABEL[event.change]


def subject(event: Event) -> str:
    """One line for a subject or a push message."""
    value = f", {event.value}" if event.value else ""
    state = f" ({STATUS[event.status]})" if event.change in ("updated", "corroborated", "revived") else ""
    return f"{label(event)}: {names(event.parties)}, {TYPE[event.deal_type]}{value}{state}"


def names(parties: Sequence[str]) -> str:
    """Names in a row: "Meta", "Meta and Google", "Meta, Google and OpenAI"."""
    if len(parties) < 2:
        return "".join(parties)
    return f"{', '.join(parties[:-1])} and {parties[-1]}"


def what(event: Event) -> str:
    """The deal as a phrase, with who does what to whom where that is known."""
    kind = TYPE[event.deal_type]
    roles = dict(zip(event.parties, event.roles, strict=False))
    if event.deal_type in _FRAMES:
        acting, acted, phrase = _FRAMES[event.deal_type]
        actors = [p for p in event.parties if roles.get(p) in acting]
        objects = [p for p in event.parties if roles.get(p) in acted]
        sellers = [p for p in event.parties if roles.get(p) == "seller"]
        rest = [p for p in event.parties if p not in (*actors, *objects, *sellers)]
        end = (f" (seller: {names(sellers)})" if sellers else "") + (f", with {names(rest)}" if rest else "")
        if actors and objects:
            return phrase.format(actor=names(actors), object=names(objects)) + end
        if event.deal_type in ("acquisition", "investment") and not rest:
            link = "of" if event.deal_type == "acquisition" else "in"
            if objects:
                return f"{kind} {link} {names(objects)}, by whom is not named" + end
            if actors and sellers:
                return f"{kind} by {names(actors)} from {names(sellers)}"
            if sellers:
                return f"sale by {names(sellers)}, to whom is not named"
    if len(event.parties) == 1:
        return f"{kind}, {event.parties[0]} and a party not named"
    link = ", " if event.deal_type in ("acquisition", "investment") else " of "  # who buys whom is not known
    return f"{kind}{link}{names(event.parties)}"


def status(event: Event) -> str:
    """How far the deal is and how sure that is: "rumour, per The Information, 2 outlets, 1 origin"."""
    words = [STATUS[event.status]]
    firm = event.sourcing != "unattributed"
    if event.evidence_level == "denied_by_party":
        words = ["denied by a party"]
    elif event.evidence_level == "confirmed_by_party":
        words.append("confirmed by a party")
    elif firm and event.origins:
        words.append(f"per {names(event.origins[:3])}")
    elif event.status in ("rumour", "expired"):
        words.append("source not named")
    words.append(count(len(event.outlets), "outlet"))
    if firm and event.origins and event.evidence_level in ("single_origin", "corroborated"):
        words.append(count(len(event.origins), "origin"))
    return ", ".join(filter(None, words))


def since(event: Event, previous: Event | None, zone: tzinfo) -> str:
    """What changed since the last alert on the deal, which it refers to; "" where this is the first."""
    told = []
    if previous is not None:
        told.append(f'first told on {day(previous.first_seen, zone)} as "{subject(previous)}"')
    elif event.change != "new" and event.first_seen:
        told.append(f"known since {day(event.first_seen, zone)}")
    before = event.status_before
    if event.change not in (None, "new") and before and before != event.status:
        told.append(f"was {'a ' if before == 'rumour' else ''}{STATUS[before]}, now {STATUS[event.status]}")
    if event.what:
        told.append(event.what)
    return "; ".join(told)


def day(at: datetime | None, zone: tzinfo) -> str:
    """A day as people write it, in the reader's time zone."""
    return f"{at.astimezone(zone):%-d %b %Y}" if at else ""


def count(number: int, word: str) -> str:
    """ "1 outlet", "2 outlets"; "" for none."""
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""
