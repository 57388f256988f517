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
    "supply_contract": (("supplier",), ("customer",), "supply contract, from {actor} to {object}"),
    "licensing": (("licensor",), ("licensee",), "licensing deal, from {actor} to {object}"),
}
_EQUITY = {  # where one side is not known: how the deal, the side acted upon and the missing one are called
    "acquisition": ("acquisition of {}, buyer not named", "acquisition by {}, target not named"),
    "investment": ("investment in {}, investor not named", "investment by {}, recipient not named"),
}
_TONE = {"rumour": "open", "expired": "off", "denied": "off", "terminated": "off"}


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
    status: str  # "rumour, per The Information, 2 outlets"
    value: str
    terms: str
    since: str  # what changed, and when the deal was first told; "" for the first alert
    sentence: str
    title: str  # the headline, where it adds to the sentence
    outlet: str
    date: str
    link: Link | None
    others: tuple[Link, ...]
    page: Link | None  # the deal's own page, where the monitor serves one
    event_id: str
    type: str
    change: str
    subject: str  # one line that says it all
    tone: str  # "open" for a rumour, "firm", or "off" for denied, called off, expired


def card(event: Event, first: Event | None, zone: tzinfo, page_url: str = "") -> Card:
    """The words for one change. `first` is the version that the first alert on the deal told, if there was one."""
    url = safe_url(event.url)
    return Card(
        label=label(event),
        names=names(event.parties),
        what=what(event),
        status=status(event),
        value=event.value,
        terms=", ".join(event.terms),
        since=since(event, first, zone),
        sentence=event.evidence or event.title,
        title=event.title if _adds(event.title, event.evidence) else "",
        outlet=event.outlet,
        date=day(event.published, zone),
        link=Link(url, event.outlet or event.title or "article") if url else None,
        others=tuple(Link(u, "") for other in event.urls[-4:] if (u := safe_url(other)) and u != url),
        page=Link(f"{page_url}/events/{event.event_id}", "the deal so far") if page_url else None,
        event_id=event.event_id,
        type=TYPE[event.deal_type],
        change=event.change or "",
        subject=subject(event),
        tone=_TONE.get(event.status, "firm"),
    )


def _adds(title: str, sentence: str) -> bool:
    """Whether a headline says more than the sentence: not where it is the same but for prefixes and the outlet."""
    plain_title, plain_sentence = title.casefold().strip(" ."), sentence.casefold().strip(" .")
    return bool(plain_sentence) and plain_sentence not in plain_title and plain_title not in plain_sentence


def label(event: Event) -> str:
    """The change in one or two words."""
    if event.change in (None, "new"):
        return _NEW[event.status]
    assert event.change is not None
    return LABEL[event.change]


def subject(event: Event) -> str:
    """One line that says it all, for a subject or a push message: change, deal, value; of an update, what is new."""
    value = f", {event.value}" if event.value else ""
    more = ""
    if event.change in ("updated", "corroborated", "revived"):
        news = event.what if event.change == "updated" else ""
        more = f" ({'; '.join(filter(None, (STATUS[event.status], news)))})"
    return f"{label(event)}: {what(event)}{value}{more}"


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
        if event.deal_type in _EQUITY and not rest:
            return _one_sided(kind, actors, objects, sellers, end)
    if event.deal_type == "acquisition":
        kind = "merger or acquisition"  # who buys whom is not known
    parties = (*event.parties, "a party not named") if len(event.parties) == 1 else event.parties
    return f"{kind}, {names(parties)}" if event.deal_type in _EQUITY else f"{kind} between {names(parties)}"


def _one_sided(kind: str, actors: list[str], objects: list[str], sellers: list[str], end: str) -> str:
    """An acquisition or investment of which one side is not named."""
    of_object, by_actor = _EQUITY[kind]
    if objects:
        return of_object.format(names(objects)) + end
    if actors and sellers:
        return f"{kind} by {names(actors)} from {names(sellers)}"
    return by_actor.format(names(actors)) if actors else f"sale by {names(sellers)}, buyer not named"


def status(event: Event) -> str:
    """How far the deal is, who says so and how many tell it: "rumour, per The Information, 2 outlets"."""
    words = [STATUS[event.status]]
    firm = event.sourcing != "unattributed"
    if event.evidence_level == "denied_by_party":
        words = ["denied by a party"]
    elif event.evidence_level == "confirmed_by_party":
        words.append("confirmed by a party")
    elif firm and event.origins:
        unnamed = "unnamed sources " if event.sourcing == "unnamed_sources" else ""
        words.append(f"{unnamed}per {names(_some(event.origins))}")
    elif event.status in ("rumour", "expired"):
        words.append("source not named")
    if event.evidence_level == "corroborated":
        words.append(f"{len(event.origins)} independent origins")
    words.append(count(len(event.outlets), "outlet"))
    return ", ".join(filter(None, words))


def _some(listed: Sequence[str], most: int = 3) -> list[str]:
    """The first few; the others are counted."""
    return [*listed[:most], *([f"{len(listed) - most} more"] if len(listed) > most else [])]


def since(event: Event, first: Event | None, zone: tzinfo) -> str:
    """What changed, and which alert told of the deal first; "" where this is the first. `first`: what that told."""
    told = []
    before = event.status_before
    if event.change not in (None, "new") and before and before != event.status:
        told.append(f"was {'a ' if before == 'rumour' else ''}{STATUS[before]}, now {STATUS[event.status]}")
    if event.what:
        told.append(event.what)
    if first is not None:
        told.append(f'first told on {day(first.changed_at, zone)} as "{_in_short(first, event)}"')
    elif event.change not in (None, "new") and event.first_seen:
        told.append(f"known since {day(event.first_seen, zone)}")
    return "; ".join(told)


def _in_short(first: Event, event: Event) -> str:
    """The first alert's subject, without what it shares with this one: one reading must do."""
    if what(first) != what(event):
        return subject(first)
    return label(first) + (f", {first.value}" if first.value and first.value != event.value else "")


def day(at: datetime | None, zone: tzinfo) -> str:
    """A day as people write it, in the reader's time zone."""
    return f"{at.astimezone(zone):%-d %b %Y}" if at else ""


def count(number: int, word: str) -> str:
    """ "1 outlet", "2 outlets"; "" for none."""
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""
