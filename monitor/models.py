"""The records that flow through the monitor, and nothing that acts on them.

All are frozen, keyword-only and slotted; all times are timezone-aware UTC; keys are unsigned 64-bit hashes that are
stable over versions and machines (`stable_key`). The tables' schemas are derived from these classes (`monitor.store`),
so a field added here is a column there. Every field has a default or is required at birth; old rows read as defaults.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

DealType = Literal["partnership", "licensing", "joint_venture", "supply_contract", "investment", "acquisition"]
Family = Literal["commercial", "equity"]
Status = Literal["rumour", "announced", "completed", "denied", "terminated", "expired"]
Sourcing = Literal["party_statement", "named_report", "unnamed_sources", "unattributed"]
EvidenceLevel = Literal["single_origin", "corroborated", "confirmed_by_party", "denied_by_party"]
ChangeKind = Literal[
    "new", "confirmed", "completed", "denied", "terminated", "revived", "expired", "corroborated", "updated"
]

DEAL_TYPES: tuple[DealType, ...] = (
    "partnership", "licensing", "joint_venture", "supply_contract", "investment", "acquisition",
)  # fmt: skip
FAMILY: dict[DealType, Family] = {
    "partnership": "commercial",
    "licensing": "commercial",
    "joint_venture": "commercial",
    "supply_contract": "commercial",
    "investment": "equity",
    "acquisition": "equity",
}


def stable_key(*parts: str) -> int:
    """An unsigned 64-bit hash of the parts, the same on every machine and for ever (blake2b, 8 bytes)."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that the user watches, or that the catalogue knows."""

    name: str  # the name used in events and alerts
    aliases: tuple[str, ...] = ()  # other names of the same company
    products: tuple[str, ...] = ()  # products, units, subsidiaries: they stand for the company
    tickers: tuple[str, ...] = ()  # exchange symbols, without the exchange
    groups: tuple[str, ...] = ()  # the user's own labels, for routing and digests


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is known of one feed after one poll of it (a row of `feeds`; the newest row of a key counts)."""

    feed_key: int  # stable_key(configured URL)
    url: str  # as configured
    polled_at: datetime
    fetch_url: str = ""  # where it lives now, if a permanent redirect proved stable; "" = as configured
    title: str = ""
    etag: str = ""  # validators, byte for byte as the server sent them
    last_modified: str = ""
    body_hash: int = 0  # of the decoded body; the same body is not parsed again
    keys_hash: int = 0  # of the set of entries in it: tells news from a touched date
    outcome: str = "ok"  # ok, not_modified, or a failure kind
    detail: str = ""  # one line on a failure, for people
    failures: int = 0  # in a row
    gone: int = 0  # 410 answers in a row
    gone_since: datetime | None = None  # the first of them
    next_due: datetime | None = None
    ok_at: datetime | None = None  # last time that entries or a 304 on a healthy feed came
    news_at: datetime | None = None  # last time that a new entry came
    interval: float = 0.0  # seconds between polls as adapted
    news_gap: float = 0.0  # smoothed seconds between polls that brought news; 0 = not known yet
    moved_to: str = ""  # a permanent redirect seen but not yet trusted
    moved_since: datetime | None = None
    overflowed: bool = False  # every entry of the last body was new: some may have been missed
    baseline: bool = False  # this was the feed's first successful poll


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a feed, cleaned: plain text, http(s) links only."""

    entry_key: int  # identity: survives changed guids, tracking parameters, edited dates
    feed_key: int
    feed_url: str
    url: str  # canonical link, "" if the feed gives none
    title: str  # plain text, one line
    first_seen: datetime
    guid: str = ""
    summary: str = ""  # plain text
    content: str = ""  # HTML that the feed carries as the whole article, "" if it does not
    author: str = ""
    source: str = ""  # the outlet, when the feed names it (aggregators)
    published: datetime | None = None
    baseline: bool = False  # came with the first poll of its feed: recorded, not alerted


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The text behind an entry."""

    article_id: str  # 16 hex digits of the entry's key; in `detect` and `backfill` the caller's id
    title: str
    text: str  # body as plain text, paragraphs separated by newlines; may be just the feed's summary
    url: str = ""
    outlet: str = ""  # who published it: source name or host
    published: datetime | None = None
    read_at: datetime | None = None
    feed_url: str = ""
    state: str = "full"  # full, summary (read from the feed), skimmed (page of no interest), consent, paywall, missing
    detail: str = ""  # why it is not full, for people
    attempts: int = 0  # tries to fetch the page so far
    retry_at: datetime | None = None  # when to try the page again; None = done
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A span of one sentence that names a company."""

    company: str  # canonical name
    start: int  # characters within the sentence
    end: int
    text: str  # as written
    kind: str = "name"  # name, product, ticker, found (by its form alone)
    watched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One article's assertion of one deal. A row of `claims`."""

    claim_key: int  # stable_key(article id, family, parties)
    article_id: str
    parties: tuple[str, ...]  # canonical names, in the order of the frame; watched and found alike
    deal_type: DealType
    status: Status
    watched: tuple[str, ...] = ()  # those of the parties that the user watches
    roles: tuple[str, ...] = ()  # one per party, "" where the frame gives none: acquirer, target, seller, investor, ...
    sourcing: Sourcing = "unattributed"
    origin: str = ""  # who first said it; "" = this outlet itself
    value: str = ""  # as stated: "$10 billion"
    terms: tuple[str, ...] = ()  # as stated: "27% stake", "ten years"
    marks: tuple[str, ...] = ()  # what sets it apart from an earlier deal: "second", "expands", "new round"
    evidence: str = ""  # the sentence
    spans: tuple[str, ...] = ()  # "start:end:label" within the evidence: party:Meta, trigger:RULE, status:RULE
    rules: tuple[str, ...] = ()  # ids of the rules that fired
    feed_url: str = ""  # the feed that brought the article
    in_lead: bool = True  # the evidence is the headline or the first sentences
    title: str = ""
    url: str = ""
    outlet: str = ""
    published: datetime | None = None
    read_at: datetime | None = None
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A deal as known after one change to it: a row of `events`. The newest version of an id counts.

    `change` is what made this version; None where a claim only added a sighting (an outlet that repeats what is
    known). Alerts are made from rows whose `change` is set and `baseline` is not.
    """

    event_id: str  # 16 hex digits
    version: int  # from 1
    parties: tuple[str, ...]
    deal_type: DealType
    status: Status
    changed_at: datetime  # when this version was made
    roles: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    change: ChangeKind | None = None
    status_before: str = ""  # "" for new
    what: str = ""  # the change in words: "new party: Google", "value: $10 billion"
    evidence_level: EvidenceLevel = "single_origin"
    sourcing: Sourcing = "unattributed"
    origins: tuple[str, ...] = ()  # independent origins, in the order in which they were met
    outlets: tuple[str, ...] = ()
    value: str = ""
    terms: tuple[str, ...] = ()
    evidence: str = ""  # the best sentence for this version
    title: str = ""  # headline of the article behind this version
    url: str = ""
    outlet: str = ""
    urls: tuple[str, ...] = ()  # articles so far, newest last, at most 20
    claim_keys: tuple[int, ...] = ()  # claims folded in by this version
    claim_count: int = 0  # of all versions together
    first_seen: datetime | None = None
    last_claim: datetime | None = None
    published: datetime | None = None  # of the article behind this version
    baseline: bool = False  # recorded, not alerted
    status_at: datetime | None = None  # date of the article that set the status; an older one cannot undo it
    marks: tuple[str, ...] = ()  # what sets it apart from an earlier deal of the same parties
    feeds: tuple[str, ...] = ()  # configured URLs of the feeds that brought it
    folded: tuple[int, ...] = ()  # every claim folded in so far: folding one again changes nothing
    prints: tuple[int, ...] = ()  # of the sentences of origins, to know a copy of one wire story
    merged_into: str = ""  # tombstone: the id under which the deal lives on
    lookup: tuple[int, ...] = ()  # keys under which the store finds this event (one per party and family)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A change on its way to one channel."""

    channel: str
    key: str  # idempotency key: channel, event, version
    subject: str
    body: str  # plain text
    html: str = ""
    events: tuple[Event, ...] = field(default=())
    of: tuple[tuple[str, int], ...] = ()  # what is delivered with it: event id and version of each
    layout: str = "text"  # the form of `body`: text, mail, slack, markdown, short
    attempt: int = 1
    digest: bool = False
    again: bool = False  # an earlier attempt was cut off in mid-send and may have arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to hand one change to one channel. A row of `deliveries`."""

    delivery_key: int  # stable_key(channel, event_id, str(version))
    channel: str
    event_id: str
    version: int
    at: datetime
    state: str  # sending, sent, failed, dead, skipped
    attempt: int = 1
    detail: str = ""  # redacted
    retry_at: datetime | None = None
    digest: bool = False  # went out as part of a digest message
    message: str = ""  # idempotency key of the message that carried it; a repeated try uses the same one
    pause: bool = False  # the channel asked to be left alone until `retry_at`
    refused: bool = False  # the channel as a whole refused, not this message
