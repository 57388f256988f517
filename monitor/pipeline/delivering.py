"""Step four: hand the changes that are due to the channels.

What is due is decided by `monitor.alerts` from the tables. Each attempt is recorded before it is made and after: a
crash in between shows, and only there may a message arrive twice. Of two runs at once, one wins each message.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import polars as pl

from monitor.alerts import (
    Labels,
    Layouts,
    OutboxSettings,
    Plan,
    card,
    delivery_key,
    failed,
    form_of,
    plan,
    refused,
    sample,
    sending,
    sent,
)
from monitor.config import ChannelConfig, Config
from monitor.errors import DeliveryError
from monitor.models import Alert, Claim, Delivery, Event
from monitor.pipeline.run import Run
from monitor.store import View

WAITING = ("failed", "sending")  # states after which a message goes out again
PATIENCE = 2  # failures of a channel in a row before the rest of its messages wait for the next run


def deliver(run: Run) -> None:
    """Send what is due, one message at a time, and record how each fared."""
    with run.report.timed("deliver"):
        settings = OutboxSettings(operator=run.config.operator)
        known = known_deliveries(run, settings)
        looks = layouts(run.config)
        todo = _plan(run, known, settings, looks)
        if todo.rows:
            run.store.append("deliveries", todo.rows)
        post = Post(run=run, settings=settings, known={d.delivery_key: d for d in known})
        run.progress("deliver", 0, len(todo.alerts))
        for number, alert in enumerate(todo.alerts, 1):
            post.hand_over(alert)
            run.progress("deliver", number, len(todo.alerts))
        for channel, look in looks.items():
            for failure in look.failures:
                run.report.problem("deliver", channel, "layout", failure)


def _plan(run: Run, known: tuple[Delivery, ...], settings: OutboxSettings, looks: Mapping[str, Layouts]) -> Plan:
    since = _since(run, settings)
    scan = run.store.scan("events").filter(pl.col("change").is_not_null())
    events: tuple[Event, ...] = run.store.load("events", scan.filter(pl.col("changed_at") >= since))
    config = run.config
    settled = {d.delivery_key for d in known if d.state in ("sent", "skipped", "dead")}
    followed = {  # follow-ups that are still to be told: the first alert on their deal may be older than the horizon
        e.event_id
        for e in events
        if e.version > 1 and any(delivery_key(c.name, e.event_id, e.version) not in settled for c in config.channels)
    } | {d.event_id for d in known if d.state in WAITING and d.at < since}
    if followed:
        old = scan.filter((pl.col("changed_at") < since) & pl.col("event_id").is_in(followed))
        earlier: tuple[Event, ...] = run.store.load("events", old)
        keys = [delivery_key(c.name, e.event_id, e.version) for e in earlier for c in config.channels]
        told: Mapping[int, Delivery] = run.store.rows("deliveries", keys)
        events, known = (*earlier, *events), (*told.values(), *known)
    return plan(events, config.channels, known, run.now, settings, looks, labels(config), muted(run))


def known_deliveries(run: Run, settings: OutboxSettings) -> tuple[Delivery, ...]:
    """Rows about changes that may still be due: those of the horizon, and before them what still waits, however old."""
    since, scan = _since(run, settings), run.store.scan("deliveries")
    old = scan.filter((pl.col("at") < since) & pl.col("state").is_in(WAITING)).select("delivery_key").unique().collect()
    newest: Mapping[int, Delivery] = run.store.rows("deliveries", old["delivery_key"].to_list())
    recent: tuple[Delivery, ...] = run.store.load("deliveries", scan.filter(pl.col("at") >= since))
    return (*(d for d in newest.values() if d.state in WAITING), *recent)


def _since(run: Run, settings: OutboxSettings) -> datetime:
    """How far back changes and rows are looked at: so long before the last message: who knows how long it was off."""
    newest = run.store.scan("deliveries").select(pl.col("at").max()).collect().item()
    return min(run.now, newest or run.now) - timedelta(days=settings.horizon_days)


def layouts(config: Config) -> dict[str, Layouts]:
    """How each channel's messages look."""
    return {
        c.name: Layouts(
            folder=config.folder / c.templates if c.templates else None,
            zone=ZoneInfo(c.time_zone or config.time_zone),
            page_url=config.page_url,
        )
        for c in config.channels
    }


def labels(config: Config) -> Labels:
    """The user's own labels, by company and by feed."""
    return Labels(groups={c.name: c.groups for c in config.watchlist}, tags={f.url: f.tags for f in config.feeds})


def muted(run: Run) -> Callable[[Event, datetime], str]:
    """Why a change is muted, "" if it is not."""

    def rules(event: Event) -> set[str]:
        claims: Mapping[int, Claim] = run.store.rows("claims", event.claim_keys)
        return {rule for claim in claims.values() for rule in claim.rules}

    def why(event: Event, now: datetime) -> str:
        today = now.astimezone(run.config.zone).date()
        for mute in run.config.mutes:
            if mute.until is not None and mute.until < today:
                continue
            held = {
                "company": lambda: set(event.parties),
                "pair": lambda: set(event.parties),
                "event": lambda: {event.event_id},
                "rule": lambda: rules(event),
                "feed": lambda: set(event.feeds),
            }[mute.kind]()
            if held.issuperset(mute.names):
                until = f" until {mute.until}" if mute.until else ""
                return f"muted{until}: {mute.kind} {' and '.join(mute.names)}" + (f" ({mute.why})" if mute.why else "")
        return ""

    return why


@dataclass(slots=True, kw_only=True)
class Post:
    """The sending of one run: which channels refused or asked for a pause."""

    run: Run
    settings: OutboxSettings
    known: Mapping[int, Delivery]
    refusals: dict[str, DeliveryError] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    in_a_row: Counter[str] = field(default_factory=Counter)  # failures of a channel with no success between

    def hand_over(self, alert: Alert) -> None:
        store, now, report = self.run.store, self.run.now, self.run.report
        if alert.channel in self.paused:
            return  # no attempt, no row: it is due again when the pause is over
        if error := self.refusals.get(alert.channel):
            store.append("deliveries", refused([alert], error, now))
            return
        rows = sending(alert, now)
        if not store.commit("deliveries", partial(self._still_due, rows)):
            return  # another run has it
        try:
            self._send(alert)
        except DeliveryError as error:
            after = failed(alert, error, now, self.settings)
            store.append("deliveries", after)
            self._note(alert, error, after)
        else:
            store.append("deliveries", sent(alert, now))
            report.sent += 1
            self.in_a_row[alert.channel] = 0

    def _still_due(self, rows: list[Delivery], view: View) -> list[Delivery]:
        newest = view.rows([r.delivery_key for r in rows])
        same = all(newest.get(r.delivery_key) == self.known.get(r.delivery_key) for r in rows)
        return rows if same else []

    def _send(self, alert: Alert) -> None:
        channel = next(c for c in self.run.config.channels if c.name == alert.channel)
        if channel.url.get_secret_value().startswith("console:"):
            self.run.console(alert)
        else:
            send(channel, alert, self.run.config)

    def _note(self, alert: Alert, error: DeliveryError, rows: list[Delivery]) -> None:
        dead = any(r.state == "dead" for r in rows)
        if error.hard and error.refused:
            self.refusals[alert.channel] = error
        self.in_a_row[alert.channel] += 1
        if any(r.pause for r in rows) or self.in_a_row[alert.channel] >= PATIENCE:
            self.paused.add(alert.channel)
        if not dead:
            self.run.report.queued += 1
        self.run.report.problem("deliver", alert.channel, "dead" if dead else "failed", error.what)


def send_test(channel: ChannelConfig, config: Config) -> None:
    """A message that says that the channel works, and what an alert says. Raises DeliveryError."""
    company = config.watchlist[0].name if config.watchlist else "Your company"
    example = f"A made-up example of an alert: {card(sample(company, datetime.now(UTC)), None, UTC).subject}"
    send_notice(channel, config, "Test of the deal monitor", (f"Channel {channel.name} takes alerts.", example))


def send_notice(channel: ChannelConfig, config: Config, title: str, lines: Sequence[str]) -> None:
    """A message about the monitor itself, outside the outbox. Raises DeliveryError."""
    form = form_of(channel.url.get_secret_value())
    subject, body, html = layouts(config)[channel.name].notice(title, lines, form)
    alert = Alert(
        channel=channel.name,
        key=f"notice-{secrets.token_hex(8)}",
        subject=subject or title,
        body=body,
        html=html,
        layout=form,
    )
    send(channel, alert, config)


def send(channel: ChannelConfig, alert: Alert, config: Config) -> None:
    """Hand one message to one channel of the web. Raises DeliveryError."""
    from monitor import notify  # apprise takes half a second to load, and most runs send nothing

    settings = notify.SendSettings(allow_private=channel.allow_private, secret=channel.secret.get_secret_value())
    notify.send(channel.url.get_secret_value(), alert, settings)
