"""The digest: what is new, what moved, which rumours grow old, and honestly what was not covered.

One message a channel, for those with `mode = "digest"`, through the same outbox as alerts: recorded before and after,
tried again, sent once a day however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from monitor.alerts import Card, Layouts, OutboxSettings, Section, card, delivery_key, form_of, route
from monitor.config import ChannelConfig
from monitor.models import Alert, Article, Delivery, Event, FeedState
from monitor.pipeline.delivering import Post, known_deliveries, labels, layouts, muted
from monitor.pipeline.run import Run
from monitor.pipeline.settings import manners
from monitor.schedule import health, spell

AGEING = 0.5  # a rumour is old after this share of the time in which it expires
LISTED = 15  # lines of one kind at most


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What a digest can tell, before a channel chooses."""

    changes: tuple[Event, ...]  # oldest first
    ageing: tuple[Event, ...]
    gaps: tuple[str, ...]


def digest(run: Run, days: float = 1.0) -> None:
    """Send each digest channel what happened since `days` ago and was not told it yet."""
    with run.report.timed("digest"):
        settings = OutboxSettings(operator=run.config.operator)
        known = {d.delivery_key: d for d in known_deliveries(run, settings)}
        material = _material(run, timedelta(days=days))
        looks = layouts(run.config)
        post = Post(run=run, settings=settings, known=known)
        for channel in run.config.channels:
            if channel.enabled and channel.mode == "digest":
                alert = _message(run, channel, looks[channel.name], material, known)
                if alert is not None:
                    post.hand_over(alert)


def _material(run: Run, span: timedelta) -> _Material:
    since = run.now - span
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
    return _Material(changes=changes, ageing=ageing, gaps=_gaps(run, since))


def _gaps(run: Run, since: datetime) -> tuple[str, ...]:
    """What the monitor could not see in this time."""
    states: dict[int, FeedState] = run.store.rows("feeds", list(run.feeds))
    lines = []
    for state in states.values():
        word, why = health(state, run.now, manners(run.config))
        if word in ("failing", "gone", "silent", "overflowed"):
            lines.append(f"feed {state.title or state.url}: {word}, {why}")
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"{len(lines) - LISTED} more feeds are not well: deal-monitor feeds --failing"]
    articles: tuple[Article, ...] = run.store.load(
        "articles", run.store.latest("articles").filter((pl.col("read_at") > since) & (pl.col("state") != "full"))
    )
    for state_, words in (
        ("paywall", "behind a paywall, read as far as it is open"),
        ("consent", "behind a consent dialogue, read from the feed's summary"),
        ("summary", "without a page, read from the feed's summary"),
    ):
        count = sum(1 for a in articles if a.state == state_ and not a.baseline)
        if count:
            lines.append(f"{count} article{'' if count == 1 else 's'} {words}")
    return tuple(lines)


def _message(
    run: Run, channel: ChannelConfig, look: Layouts, material: _Material, known: dict[int, Delivery]
) -> Alert | None:
    """The digest of one channel; None if today's was sent."""
    today = run.now.astimezone(ZoneInfo(channel.time_zone or run.config.time_zone)).date()
    stamp = (f"digest:{channel.name}", today.toordinal())
    before = known.get(delivery_key(channel.name, *stamp))
    if before is not None and before.state in ("sent", "dead"):
        return None
    events = _chosen(run, channel, material.changes, known)
    sections = _sections(run, channel, look, material, events)
    new = sum(1 for e in events if e.change == "new")
    title = f"Deal digest, {today:%A} {today.day} {today:%B %Y}: {new} new, {len(events) - new} moved"
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


def _chosen(run: Run, channel: ChannelConfig, changes: Iterable[Event], known: dict[int, Delivery]) -> list[Event]:
    """The changes that the channel wants and was not told yet, by company."""
    own, quiet = labels(run.config), muted(run)
    found = []
    for event in changes:
        row = known.get(delivery_key(channel.name, event.event_id, event.version))
        told = row is not None and row.state == "sent"
        if not told and route(event, channel, own).goes and not quiet(event, run.now):
            found.append(event)
    return sorted(found, key=lambda e: (*(e.watched or e.parties)[:1], e.changed_at))


def _sections(
    run: Run, channel: ChannelConfig, look: Layouts, material: _Material, events: Sequence[Event]
) -> list[Section]:
    def cards(some: Iterable[Event]) -> tuple[Card, ...]:
        return tuple(card(event, None, look.zone, look.page_url) for event in some)

    wanted = labels(run.config)
    limit = run.config.detection.rumour_expires_days
    ageing = [
        f"{' and '.join(e.parties)}, {e.deal_type.replace('_', ' ')}: nothing new for "
        f"{spell((run.now - e.last_claim).total_seconds())}, expires after {limit} days"
        for e in material.ageing
        if e.last_claim is not None and route(_as_new(e), channel, wanted).goes
    ]
    nothing = () if events else ("nothing new",)
    return [
        Section("New", cards(e for e in events if e.change == "new"), nothing),
        Section("Moved", cards(e for e in events if e.change != "new")),
        Section("Rumours growing old", (), tuple(ageing[:LISTED])),
        Section("Not covered", (), material.gaps),
    ]


def _as_new(event: Event) -> Event:
    """The rumour as the channel would have heard of it first: routing asks what kind of change it is."""
    return replace(event, change="new")
