"""The digest: what is new, what moved, which rumours grow old, and honestly what was not covered.

One message a channel, for those with `mode = "digest"`, through the same outbox as alerts: recorded before and after,
tried again, sent once a day however often it is asked for. What a missed digest would have told is in the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from monitor.alerts import (
    Card,
    Layouts,
    OutboxSettings,
    Section,
    at_work,
    card,
    day,
    delivery_key,
    due_again,
    form_of,
    route,
    what,
)
from monitor.config import ChannelConfig
from monitor.models import Alert, Delivery, Event
from monitor.pipeline.coverage import gaps, unnamed
from monitor.pipeline.delivering import WAITING, Post, known_deliveries, labels, layouts, muted
from monitor.pipeline.run import Run
from monitor.schedule import spell

AGEING = 0.5  # a rumour is old after this share of the time in which it expires
OVERLAP = timedelta(hours=6)  # a poll may store what it saw after a digest that began later; nothing is told twice
LISTED = 15  # lines of one kind at most


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What a digest can tell, before a channel chooses."""

    changes: tuple[Event, ...]  # oldest first
    ageing: tuple[Event, ...]
    gaps: tuple[str, ...]
    unnamed: tuple[str, ...]  # companies that nothing names
    unnamed_since: datetime | None  # in the time since then

    def since(self, start: datetime) -> _Material:
        return replace(self, changes=tuple(e for e in self.changes if e.changed_at > start))


def digest(run: Run, days: float = 1.0) -> None:
    """Send each digest channel what happened since its last one, at least since `days` ago, and was not told it yet."""
    settings = OutboxSettings(operator=run.config.operator)

    def wanted(before: Delivery | None) -> bool:
        return before is None or (before.state in WAITING and not at_work(before, run.now, settings))

    _send(run, timedelta(days=days), settings, wanted)


def digest_again(run: Run) -> None:
    """Send today's digests that their channels could not take before, once the pause is over."""
    settings = OutboxSettings(operator=run.config.operator)
    _send(run, timedelta(days=1), settings, lambda row: row is not None and due_again(row, run.now, settings))


def _send(run: Run, span: timedelta, settings: OutboxSettings, wanted: Callable[[Delivery | None], bool]) -> None:
    """The digests of the channels whose row of today is wanted."""
    channels = [c for c in run.config.channels if c.enabled and c.mode == "digest"]
    if not channels:
        return
    with run.report.timed("digest"):
        known = {d.delivery_key: d for d in known_deliveries(run, settings)}
        today = {c.name: known.get(delivery_key(c.name, *_stamp(run, c))) for c in channels}
        channels = [c for c in channels if wanted(today[c.name])]
        if not channels:
            return
        starts = {c.name: _start(run, c, known, span) for c in channels}
        material = _material(run, min(starts.values()), span)
        looks = layouts(run.config)
        post = Post(run=run, settings=settings, known=known)
        for channel in channels:
            before = run.report.sent
            post.hand_over(_message(run, channel, looks[channel.name], material.since(starts[channel.name]), known))
            if run.report.sent > before:
                run.store.append("deliveries", _made_up_for(run, channel, known))


def _made_up_for(run: Run, channel: ChannelConfig, known: Mapping[int, Delivery]) -> list[Delivery]:
    """Digests of other days that never went out: what they would have told is in the one that did."""
    name, today = _stamp(run, channel)
    waiting = [d for d in known.values() if d.event_id == name and d.version != today and d.state in WAITING]
    return [replace(d, state="skipped", at=run.now, retry_at=None, detail="told by a later digest") for d in waiting]


def _stamp(run: Run, channel: ChannelConfig) -> tuple[str, int]:
    """What stands for a channel's digest of today in the outbox."""
    return f"digest:{channel.name}", _today(run, channel).toordinal()


def _today(run: Run, channel: ChannelConfig) -> date:
    return run.now.astimezone(ZoneInfo(channel.time_zone or run.config.time_zone)).date()


def _start(run: Run, channel: ChannelConfig, known: Mapping[int, Delivery], span: timedelta) -> datetime:
    """From when on the channel may not know: since its last digest; if none went out, the first that failed."""
    usual = run.now - span
    rows = [d for d in known.values() if d.event_id == f"digest:{channel.name}" and d.at <= run.now]
    if not rows:
        return usual
    last = max((d.at for d in rows if d.state == "sent"), default=min(d.at for d in rows) - span)
    return min(usual, last) - OVERLAP


def _material(run: Run, since: datetime, span: timedelta) -> _Material:
    scan = run.store.scan("events").filter((pl.col("changed_at") > since) & pl.col("change").is_not_null())
    changes: tuple[Event, ...] = run.store.load("events", scan.filter(~pl.col("baseline")))
    limit = timedelta(days=run.config.detection.rumour_expires_days)
    old = run.store.latest("events").filter(
        (pl.col("status") == "rumour")
        & ~pl.col("baseline")
        & (pl.col("merged_into") == "")
        & (pl.col("last_claim") <= run.now - AGEING * limit)
    )
    ageing: tuple[Event, ...] = run.store.load("events", old.sort("last_claim"))
    nobody, began = unnamed(run.store, run.config.watchlist, run.now)
    missed = tuple(gaps(run, run.now - span, LISTED))
    return _Material(changes=changes, ageing=ageing, gaps=missed, unnamed=nobody, unnamed_since=began)


def _message(run: Run, channel: ChannelConfig, look: Layouts, material: _Material, known: dict[int, Delivery]) -> Alert:
    """The digest of one channel."""
    today, stamp = _today(run, channel), _stamp(run, channel)
    before = known.get(delivery_key(channel.name, *stamp))
    events = _chosen(run, channel, material.changes, known)
    sections = _sections(run, channel, look, material, events)
    title = f"Deal digest, {today:%A} {today.day} {today:%B %Y}: {_counts(events)}"
    form = form_of(channel.url.get_secret_value())
    subject, body, html = look.digest(title, sections, form)
    return Alert(
        channel=channel.name,
        key=f"digest-{delivery_key(channel.name, *stamp):016x}",
        subject=subject,
        body=body,
        html=html,
        events=tuple(events),
        of=(stamp, *((e.event_id, e.version) for e in events)),
        layout=form,
        attempt=before.attempt + 1 if before else 1,
        digest=True,
        again=before is not None and before.state == "sending",
    )


def _counts(events: Sequence[Event]) -> str:
    """How many deals are new, moved, expired; a new one that moved since counts as new."""
    kinds = {e.event_id: {"expired": "expired"}.get(e.change or "", "moved") for e in events}
    kinds |= {e.event_id: "new" for e in events if e.change == "new"}
    counts = Counter(kinds.values())
    return f"{counts['new']} new, {counts['moved']} moved" + (
        f", {counts['expired']} expired" if counts["expired"] else ""
    )


def _chosen(run: Run, channel: ChannelConfig, changes: Iterable[Event], known: dict[int, Delivery]) -> list[Event]:
    """The changes that the channel wants and was not told yet, oldest first."""
    own, quiet = labels(run.config), muted(run)
    found = []
    for event in changes:
        row = known.get(delivery_key(channel.name, event.event_id, event.version))
        told = row is not None and row.state == "sent"
        if not told and route(event, channel, own).goes and not quiet(event, run.now):
            found.append(event)
    return sorted(found, key=lambda e: e.changed_at)


def _sections(
    run: Run, channel: ChannelConfig, look: Layouts, material: _Material, events: Sequence[Event]
) -> list[Section]:
    def cards(some: Iterable[Event]) -> tuple[Card, ...]:
        return tuple(card(event, None, look.zone, look.page_url) for event in some)

    wanted = labels(run.config)
    limit = run.config.detection.rumour_expires_days
    ageing = [
        f"{what(e)}{', ' + e.value if e.value else ''}: nothing new for "
        f"{spell((run.now - e.last_claim).total_seconds())}, expires after {limit} days"
        for e in material.ageing
        if e.last_claim is not None and route(_as_new(e), channel, wanted).goes
    ]
    newest = {e.event_id: e for e in events}.values()  # one line a deal: how it stands, and what it was
    expired = [e for e in newest if e.change == "expired"]
    open_ = [e for e in newest if e.change != "expired"]
    return [
        *([] if open_ else [Section("", notes=("Nothing new.",))]),
        *(Section(company, cards(some)) for company, some in _by_company(open_)),
        Section("Rumours growing old", (), tuple(ageing[:LISTED])),
        Section("Rumours that expired", cards(expired)),
        Section("Not covered", (), (*material.gaps, *_unnamed(run, channel, look, material))),
    ]


def _by_company(events: Sequence[Event]) -> list[tuple[str, list[Event]]]:
    """The changes under the watched company that they concern, new deals first."""
    found: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda e: e.change != "new"):
        found.setdefault(next(iter(event.watched or event.parties), ""), []).append(event)
    return sorted(found.items())


def _unnamed(run: Run, channel: ChannelConfig, look: Layouts, material: _Material) -> tuple[str, ...]:
    """One line on the channel's companies that nothing names; none while nothing was read at all."""
    groups = {c.name: c.groups for c in run.config.watchlist}
    names = [
        name
        for name in material.unnamed
        if not (channel.companies or channel.groups)
        or name in channel.companies
        or set(groups[name]) & set(channel.groups)
    ]
    if not names or material.unnamed_since is None:
        return ()
    listed = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    since = day(material.unnamed_since, look.zone)
    return (f"no article read since {since} names {listed}: is there a feed about them? (deal-monitor feeds add)",)


def _as_new(event: Event) -> Event:
    """The rumour as the channel would have heard of it first: routing asks what kind of change it is."""
    return replace(event, change="new")
