"""The round of one run: record, send, record. Knows the order that makes a crash harmless; decides nothing.

One channel at a time; after a refusal, a pause or two failures in a row the rest of the channel's messages wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.alerts import OutboxSettings, failed, refused, sending, sent
from monitor.errors import DeliveryError
from monitor.models import Alert, Delivery
from monitor.notify.door import SendSettings, send

Record = Callable[[Sequence[Delivery]], object]
Send = Callable[[str, Alert, SendSettings], None]
FAILURES_IN_A_ROW = 2


@dataclass(slots=True)
class Round:
    """What became of the messages of one run."""

    sent: list[Alert] = field(default_factory=list)
    failed: list[tuple[Alert, DeliveryError]] = field(default_factory=list)
    waiting: list[Alert] = field(default_factory=list)  # not tried, due again in the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A channel's address (secret) and limits."""

    url: str
    settings: SendSettings = field(default_factory=SendSettings)


def deliver(
    alerts: Iterable[Alert],
    targets: Mapping[str, Target],
    record: Record,
    clock: Callable[[], datetime],
    settings: OutboxSettings | None = None,
    handover: Send = send,
) -> Round:
    """Sends the messages of a plan. `record` must have stored the rows when it returns.

    `record` may raise LostRace or answer False for `sending` rows when another run has taken the message: it is left.
    """
    settings, done = settings or OutboxSettings(), Round()
    by_channel: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_channel.setdefault(alert.channel, []).append(alert)
    for name, queue in by_channel.items():
        _channel(queue, targets[name], record, clock, settings, handover, done)
    return done


def _channel(
    queue: Sequence[Alert], target: Target, record: Record, clock: Callable[[], datetime], settings: OutboxSettings,
    handover: Send, done: Round,
) -> None:  # fmt: skip
    in_a_row = 0
    for place, alert in enumerate(queue):
        if record(sending(alert, clock())) is False:
            continue
        try:
            handover(target.url, alert, target.settings)
        except DeliveryError as error:
            record(failed(alert, error, clock(), settings))
            done.failed.append((alert, error))
            in_a_row += 1
            rest = queue[place + 1 :]
            if error.refused and rest:
                record(refused(rest, error, clock()))
                done.failed.extend((other, error) for other in rest)
                return
            if error.retry_after is not None or in_a_row >= FAILURES_IN_A_ROW:
                done.waiting.extend(rest)
                return
        else:
            record(sent(alert, clock()))
            done.sent.append(alert)
            in_a_row = 0
