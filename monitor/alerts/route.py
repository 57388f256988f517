"""Which change goes to which channel, and why. Knows the channel's settings; sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.config import ChannelConfig
from monitor.events import amount
from monitor.models import ChangeKind, DealType, Event, Status

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a change goes to a channel, and the reason in words."""

    goes: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The user's own labels that channels choose by."""

    groups: Mapping[str, Collection[str]] = field(default_factory=dict)  # company -> its groups
    tags: Mapping[str, Collection[str]] = field(default_factory=dict)  # feed's address -> its tags


def route(event: Event, channel: ChannelConfig, labels: Labels | None = None) -> Verdict:
    """Whether the change goes to the channel. The first setting that keeps it out is the reason."""
    labels = labels or Labels()
    if not channel.enabled:
        return Verdict(False, "the channel is switched off")
    companies = [*event.watched, *event.parties]
    groups = {g for c in companies for g in labels.groups.get(c, ())}
    feeds = {f for url in event.feeds for f in (url, *labels.tags.get(url, ()))}
    for wanted, held, word in (
        (_changes(channel), {event.change}, "change"),
        (channel.companies, set(companies), "company"),
        (channel.groups, groups, "group"),
        (channel.deal_types, {event.deal_type}, "deal type"),
        (channel.statuses, {event.status}, "status"),
        (channel.evidence, {event.evidence_level}, "evidence"),
        (channel.feeds, feeds, "feed"),
    ):
        if wanted and not held.intersection(wanted):
            has = ", ".join(sorted(str(h) for h in held)) or "none"
            return Verdict(False, f"{word} is {has}, the channel wants {', '.join(wanted)}")
    if channel.min_value:
        sum_ = amount(event.value)
        if sum_ is None or sum_.number < channel.min_value:
            return Verdict(False, f"value is {event.value or 'not stated'}, the channel wants {channel.min_value:,.0f}")
    chosen = [
        name
        for name in ("companies", "groups", "deal_types", "statuses", "evidence", "feeds", "min_value")
        if getattr(channel, name)
    ]
    return Verdict(True, f"fits {', '.join(chosen)}" if chosen else "the channel takes every deal")


def _changes(channel: ChannelConfig) -> tuple[str, ...]:
    """The changes that a channel takes. Unless it says otherwise, that rumours expire is told in digests."""
    if channel.mode == "digest" and "changes" not in channel.model_fields_set:
        return (*channel.changes, "expired")
    return channel.changes


def quiet(channel: ChannelConfig, now: datetime) -> bool:
    """True in the channel's quiet hours, by its own clock. Hours over midnight belong to the day they begin on."""
    hours = channel.quiet_hours
    if hours is None or hours.start == hours.end:
        return False
    local = now.astimezone(ZoneInfo(channel.time_zone or "UTC"))
    clock = local.time().replace(tzinfo=None)
    begun = local
    if hours.start < hours.end:
        inside = hours.start <= clock < hours.end
    else:
        inside = clock >= hours.start or clock < hours.end
        if clock < hours.end:
            begun = local - timedelta(days=1)
    return inside and (not hours.days or _DAYS[begun.weekday()] in hours.days)


def explain(
    event: Event, channels: Sequence[ChannelConfig], now: datetime, labels: Labels | None = None
) -> list[tuple[str, bool, str]]:
    """For each channel: its name, whether the change goes there, and why and when in words."""
    told = []
    for channel in channels:
        verdict = route(event, channel, labels)
        if not verdict.goes:
            told.append((channel.name, False, verdict.why))
            continue
        when = "in its digest" if channel.mode == "digest" else "at once"
        if channel.quiet_hours is not None and quiet(channel, now):
            when = f"after its quiet hours, at {channel.quiet_hours.end:%H:%M}"
        told.append((channel.name, True, f"{when}; {verdict.why}"))
    return told


def sample(
    company: str,
    now: datetime,
    deal_type: DealType = "acquisition",
    status: Status = "rumour",
    value: str = "$1 billion",
) -> Event:
    """A made-up deal of a company, to try the channels' settings on."""
    roles = {"acquisition": ("acquirer", "target"), "investment": ("investor", "recipient")}.get(deal_type, ())
    change: ChangeKind = status if status in ("completed", "denied", "terminated", "expired") else "new"
    return Event(
        event_id="0" * 16,
        version=1,
        parties=(company, "Example Ltd"),
        roles=roles,
        watched=(company,),
        deal_type=deal_type,
        status=status,
        change=change,
        value=value,
        sourcing="named_report",
        origins=("Example Wire",),
        outlets=("Example Wire",),
        evidence=f"{company} and Example Ltd: this sentence would be the article's own, Example Wire reported.",
        title=f"{company} and Example Ltd: a made-up headline",
        url="https://example.org/",
        outlet="Example Wire",
        changed_at=now,
        first_seen=now,
        published=now,
    )
