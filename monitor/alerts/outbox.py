"""What is due for which channel: changes x channels minus deliveries. Decides, sends nothing, reads no clock.

The tables are the outbox. An attempt is recorded before it is made (`sending`) and after (`sent`, `failed`, `dead`), so
that a crash in between shows as a `sending` row without an end: it is sent again under the same idempotency key, and
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.alerts.render import Form, Layouts, Section, form_of
from monitor.alerts.route import Labels, quiet, route
from monitor.alerts.words import card, count
from monitor.config import ChannelConfig
from monitor.errors import DeliveryError
from monitor.models import Alert, Delivery, Event, stable_key

NOTICE = "channel:"  # what stands for the deal in rows about a message on a dead channel

Muted = Callable[[Event, datetime], str]  # why a change is muted, "" if it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettings:
    """The promise and its pace."""

    promise_hours: float = 72  # a channel that refuses for so long has the change marked dead
    horizon_days: float = 14  # changes that were never tried are looked for so far back
    base_seconds: float = 60  # before the second try; doubles each time
    ceiling_seconds: float = 3600
    lease_seconds: float = 120  # a `sending` row younger than this may still be at work
    skew_seconds: float = 3600  # a row so far in the future was written under a wrong clock
    operator: str = ""  # the channel that hears of dead ones; "" = the first other one


@dataclass(frozen=True, slots=True)
class Plan:
    """Messages that are due, and rows to record for changes that no message is due for."""

    alerts: list[Alert] = field(default_factory=list)
    rows: list[Delivery] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """All that a decision about one channel rests on."""

    channel: ChannelConfig
    channels: Sequence[ChannelConfig]
    history: Mapping[str, Sequence[Event]]  # changes by deal, oldest first
    last: Mapping[int, Delivery]  # newest row of each change and channel
    now: datetime
    settings: OutboxSettings
    layouts: Layouts
    labels: Labels | None
    muted: Muted | None

    @property
    def form(self) -> Form:
        return form_of(self.channel.url.get_secret_value())

    def before(self, event_id: str, version: int) -> Delivery | None:
        """The newest row about a change on its way to this channel."""
        return self.last.get(delivery_key(self.channel.name, event_id, version))

    def is_due(self, row: Delivery) -> bool:
        """Whether a change that was tried before is to be tried now."""
        return due_again(row, self.now, self.settings)

    def looks_back_to(self) -> datetime:
        """Changes never tried are looked for from here on: so long before the channel's last message, however long ago.

        A channel that has no rows yet is new: it hears of changes as old as the promise.
        """
        rows = [row.at for row in self.last.values() if row.channel == self.channel.name]
        if not rows:
            return self.now - timedelta(hours=self.settings.promise_hours)
        return min(self.now, max(rows)) - timedelta(days=self.settings.horizon_days)

    def told(self, event: Event) -> Event | None:
        """The version that the first alert on the deal told this channel, if there was one."""
        for other in self.history[event.event_id]:
            row = self.before(other.event_id, other.version)
            if other.version < event.version and row and row.state == "sent":
                return other
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """One change that is due for one channel."""

    event: Event
    before: Delivery | None

    @property
    def attempt(self) -> int:
        return self.before.attempt + 1 if self.before else 1

    @property
    def again(self) -> bool:
        return self.before is not None and self.before.state == "sending"


def delivery_key(channel: str, event_id: str, version: int) -> int:
    """The key of all rows about one change on its way to one channel."""
    return stable_key(channel, event_id, str(version))


def due_again(row: Delivery, now: datetime, settings: OutboxSettings) -> bool:
    """Whether what was tried before is to be tried now: its pause is over, or nobody is at work on it any more."""
    if row.state == "failed":
        return row.retry_at is None or not _waits(row.retry_at, now, settings)
    return row.state == "sending" and not at_work(row, now, settings)


def at_work(row: Delivery, now: datetime, settings: OutboxSettings) -> bool:
    """Whether somebody may be sending it at this moment."""
    age = (now - row.at).total_seconds()
    return row.state == "sending" and -settings.skew_seconds <= age < settings.lease_seconds


def _waits(until: datetime, now: datetime, settings: OutboxSettings) -> bool:
    """Whether a pause still lasts. One beyond all that we set was set under a wrong clock, and is over."""
    return now < until <= now + timedelta(hours=settings.promise_hours, seconds=settings.skew_seconds)


def digest_key(channel: str, of: Iterable[tuple[str, int]]) -> str:
    """The idempotency key of a message with several changes: the same for the same changes."""
    return f"digest-{stable_key(channel, *(f'{i}/{v}' for i, v in sorted(of))):016x}"


def due(
    events: Iterable[Event], channels: Sequence[ChannelConfig], deliveries: Iterable[Delivery], now: datetime,
    settings: OutboxSettings | None = None, layouts: Mapping[str, Layouts] | None = None, labels: Labels | None = None,
) -> list[Alert]:  # fmt: skip
    """The messages of `plan`."""
    return plan(events, channels, deliveries, now, settings, layouts, labels).alerts


def plan(
    events: Iterable[Event], channels: Sequence[ChannelConfig], deliveries: Iterable[Delivery], now: datetime,
    settings: OutboxSettings | None = None, layouts: Mapping[str, Layouts] | None = None, labels: Labels | None = None,
    muted: Muted | None = None,
) -> Plan:  # fmt: skip
    """What to send now, in the order of the changes.

    `events`: every version with a change that may be due, and the earlier ones of the same deals (for "what changed
    since"); baseline versions and mere sightings are passed over. `deliveries`: all rows about them, in stored order.
    `layouts`: by channel name. At most `max_per_run` messages and one digest per channel.
    """
    last = {row.delivery_key: row for row in deliveries}
    history: dict[str, list[Event]] = {}
    for event in sorted((e for e in events if e.change and not e.merged_into), key=lambda e: (e.changed_at, e.version)):
        history.setdefault(event.event_id, []).append(event)
    made = Plan()
    for channel in channels:
        desk = _Desk(
            channel=channel, channels=channels, history=history, last=last, now=now,
            settings=settings or OutboxSettings(), layouts=(layouts or {}).get(channel.name) or Layouts(),
            labels=labels, muted=muted,
        )  # fmt: skip
        if not channel.enabled or quiet(channel, now) or _paused(desk):
            continue
        made.alerts.extend(_notices(desk))
        if channel.mode == "immediate":
            found, rows = _changes(desk)
            made.rows.extend(rows)
            made.alerts.extend(_messages(desk, found))
    return made


def _paused(desk: _Desk) -> bool:
    rows = (row for row in desk.last.values() if row.channel == desk.channel.name and row.pause)
    return any(row.retry_at and _waits(row.retry_at, desk.now, desk.settings) for row in rows)


def _changes(desk: _Desk) -> tuple[list[_Due], list[Delivery]]:
    """The changes that are due for the channel, oldest first, and `skipped` rows for those that it does not want."""
    since = desk.looks_back_to()
    found, rows = [], []
    for event in sorted((e for deal in desk.history.values() for e in deal), key=lambda e: (e.changed_at, e.version)):
        before = desk.before(event.event_id, event.version)
        if event.baseline:
            continue
        if before is not None:
            if desk.is_due(before):
                found.append(_Due(event=event, before=before))
        elif event.changed_at >= since:
            why = desk.muted(event, desk.now) if desk.muted else ""
            verdict = route(event, desk.channel, desk.labels)
            if verdict.goes and not why:
                found.append(_Due(event=event, before=None))
            else:
                detail = why or verdict.why
                rows.append(_row(desk.channel.name, event.event_id, event.version, desk.now, "skipped", detail))
    return found, rows


def _messages(desk: _Desk, found: Sequence[_Due]) -> list[Alert]:
    """Messages for the due changes: what was tried together is tried together again, under the same key."""
    digests: dict[str, list[_Due]] = {}
    singles: list[_Due] = []
    for item in found:
        if item.before and item.before.digest:
            digests.setdefault(item.before.message, []).append(item)
        else:
            singles.append(item)
    cap = desk.channel.max_per_run
    made = [_single(desk, item) for item in singles[:cap]]
    rest = [item for item in singles[cap:] if item.before is None]  # those tried before wait for their turn
    if digests:
        made.append(_digest(desk, next(iter(digests.values()))))
    elif rest:
        made.append(_digest(desk, rest))
    return made


def _single(desk: _Desk, item: _Due) -> Alert:
    event = item.event
    subject, body, html = desk.layouts.alert(event, desk.told(event), desk.form, again=item.again)
    return Alert(
        channel=desk.channel.name,
        key=f"deal-{delivery_key(desk.channel.name, event.event_id, event.version):016x}",
        subject=subject,
        body=body,
        html=html,
        events=(event,),
        of=((event.event_id, event.version),),
        layout=desk.form,
        attempt=item.attempt,
        again=item.again,
    )


def _digest(desk: _Desk, items: Sequence[_Due]) -> Alert:
    again = any(item.again for item in items)
    events = tuple(item.event for item in items)
    ours = desk.layouts
    cards = tuple(card(event, desk.told(event), ours.zone, ours.page_url) for event in events)
    title = f"{count(len(events), 'more change')} in one message"
    subject, body, html = ours.digest(title, [Section("", cards)], desk.form, again=again)
    of = tuple((e.event_id, e.version) for e in events)
    return Alert(
        channel=desk.channel.name,
        key=digest_key(desk.channel.name, of),
        subject=subject,
        body=body,
        html=html,
        events=events,
        of=of,
        layout=desk.form,
        attempt=items[0].attempt,
        digest=True,
        again=again,
    )


def _notices(desk: _Desk) -> list[Alert]:
    """Word to this channel of others that have dead deliveries: one message per dead channel and day."""
    limit = desk.now - timedelta(hours=desk.settings.promise_hours)
    dead: dict[str, list[Delivery]] = {}
    for row in desk.last.values():
        if row.state == "dead" and row.at >= limit and not row.event_id.startswith(NOTICE):
            dead.setdefault(row.channel, []).append(row)
    made = []
    for name, rows in dead.items():
        newest = max(rows, key=lambda row: row.at)
        of = (NOTICE + name, newest.at.toordinal())
        before = desk.before(*of)
        if _hears(desk, name, dead) != desk.channel.name or (before and not desk.is_due(before)):
            continue
        title = f"Channel {name} does not take alerts: {count(len(rows), 'alert')} not delivered"
        lines = (f"Reason: {newest.detail}", f"Mend it, then run: deal-monitor alerts retry --channel {name}")
        subject, body, html = desk.layouts.notice(title, lines, desk.form)
        made.append(
            Alert(
                channel=desk.channel.name,
                key=f"notice-{delivery_key(desk.channel.name, *of):016x}",
                subject=subject,
                body=body,
                html=html,
                of=(of,),
                layout=desk.form,
                attempt=before.attempt + 1 if before else 1,
            )
        )
    return made


def _hears(desk: _Desk, dead: str, all_dead: Mapping[str, object]) -> str:
    """The channel that is told of a dead one: the operator's, else the first healthy one, else any other."""
    others = [c.name for c in desk.channels if c.enabled and c.name != dead]
    if desk.settings.operator in others:
        return desk.settings.operator
    return next((name for name in others if name not in all_dead), others[0] if others else "")


# --- rows -------------------------------------------------------------------------------------------------------------


def sending(alert: Alert, now: datetime) -> list[Delivery]:
    """Rows to record before the attempt."""
    return _rows(alert, now, "sending")


def sent(alert: Alert, now: datetime) -> list[Delivery]:
    """Rows to record after it was handed over."""
    return _rows(alert, now, "sent")


def failed(alert: Alert, error: DeliveryError, now: datetime, settings: OutboxSettings | None = None) -> list[Delivery]:
    """Rows to record after a failure: dead where asking again is no use or the promise ran out, else when to retry.

    Back-off doubles from `base_seconds` to `ceiling_seconds`; a channel that named a time is left alone until then.
    """
    settings = settings or OutboxSettings()
    wait = error.retry_after
    if wait is None:
        wait = min(settings.ceiling_seconds, settings.base_seconds * 2 ** min(alert.attempt - 1, 20))
    wait = min(wait, settings.promise_hours * 3600)
    retry_at = now + timedelta(seconds=wait)
    changed = {(e.event_id, e.version): e.changed_at for e in alert.events}
    rows = []
    for row in _rows(alert, now, "failed", error.what):
        overdue = now - changed.get((row.event_id, row.version), now) >= timedelta(hours=settings.promise_hours)
        if error.hard or overdue:
            rows.append(replace(row, state="dead", refused=error.hard and error.refused))
        else:
            rows.append(replace(row, retry_at=retry_at, pause=error.retry_after is not None))
    return rows


def refused(alerts: Iterable[Alert], error: DeliveryError, now: datetime) -> list[Delivery]:
    """Rows for messages not even tried, because the channel as a whole refused the one before them."""
    what = f"not tried, the channel refused: {error.what}"
    return [replace(row, refused=True) for alert in alerts for row in _rows(alert, now, "dead", what)]


def retry(deliveries: Iterable[Delivery], now: datetime, channel: str = "") -> list[Delivery]:
    """Rows that make dead deliveries (of one channel, or all) due again."""
    return [
        replace(row, state="failed", at=now, retry_at=now, pause=False, detail="to be tried again by request")
        for row in {row.delivery_key: row for row in deliveries}.values()
        if row.state == "dead" and (not channel or row.channel == channel)
    ]


def _rows(alert: Alert, now: datetime, state: str, detail: str = "") -> list[Delivery]:
    return [
        replace(
            _row(alert.channel, event_id, version, now, state, detail),
            attempt=alert.attempt,
            digest=alert.digest,
            message=alert.key,
        )
        for event_id, version in alert.of
    ]


def _row(channel: str, event_id: str, version: int, now: datetime, state: str, detail: str) -> Delivery:
    key = delivery_key(channel, event_id, version)
    return Delivery(
        delivery_key=key, channel=channel, event_id=event_id, version=version, at=now, state=state, detail=detail[:500]
    )
