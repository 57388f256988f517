"""The outbox: nothing lost, nothing repeated but what a crash leaves open. See also test_delivery.py."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from monitor.alerts import OutboxSettings, delivery_key, due, failed, plan, refused, retry, sending, sent
from monitor.config import ChannelConfig
from monitor.errors import DeliveryError
from monitor.events import fold
from monitor.models import Alert, Delivery, Event
from tests.deals import SETTINGS, claim, on, told

MINUTE = timedelta(minutes=1)
SOFT = DeliveryError("desk", "HTTP 500")
HARD = DeliveryError("desk", "HTTP 400", hard=True)
GONE = DeliveryError("desk", "HTTP 404", hard=True, refused=True)


def channel(name: str = "desk", **more: Any) -> ChannelConfig:
    return ChannelConfig(**{"name": name, "url": "json://127.0.0.1/"} | more)


def deals(count: int, day: float = 0) -> list[Event]:
    """So many new deals, each of its own pair."""
    made = fold((), [claim(f"Vela {n}x, Orm {n}x", day=day) for n in range(count)], on(day), SETTINGS)
    assert len(made) == count
    return made


class Log:
    """A delivery table, and the sending of one plan after the other."""

    def __init__(self) -> None:
        self.rows: list[Delivery] = []

    def run(
        self, events: list[Event], channels: list[ChannelConfig], now: datetime, error: DeliveryError | None = None
    ) -> list[Alert]:
        made = plan(events, channels, self.rows, now)
        self.rows += made.rows
        for alert in made.alerts:
            self.rows += sending(alert, now)
            self.rows += failed(alert, error, now) if error else sent(alert, now)
        return made.alerts

    def last(self) -> dict[int, Delivery]:
        return {row.delivery_key: row for row in self.rows}


def test_a_change_is_sent_once_per_channel() -> None:
    log, events, channels = Log(), deals(3), [channel("a"), channel("b")]
    first = log.run(events, channels, on(0))
    assert [a.channel for a in first] == ["a"] * 3 + ["b"] * 3
    assert len({a.key for a in first}) == 6
    assert log.run(events, channels, on(0) + MINUTE) == []


def test_what_a_channel_does_not_want_is_recorded_with_the_reason() -> None:
    log, events = Log(), deals(1)
    assert log.run(events, [channel(statuses=["announced"])], on(0)) == []
    (row,) = log.rows
    assert row.state == "skipped"
    assert "status is rumour" in row.detail
    assert log.run(events, [channel()], on(0)) == []  # a setting changed later does not bring back the past


def test_the_wait_doubles_up_to_a_ceiling_and_the_key_stays() -> None:
    log, events, now, keys, waits = Log(), deals(1), on(0), [], []
    for attempt in range(1, 12):
        (alert,) = log.run(events, [channel()], now, SOFT)
        keys.append(alert.key)
        row = log.rows[-1]
        assert (row.state, row.attempt, row.message) == ("failed", attempt, alert.key)
        assert row.retry_at is not None
        waits.append((row.retry_at - now).total_seconds())
        assert due(events, [channel()], log.rows, row.retry_at - timedelta(seconds=1)) == []
        now = row.retry_at
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]
    assert len(set(keys)) == 1


def test_the_promise_ends_after_three_days_and_is_shown_as_dead() -> None:
    log, events, now = Log(), deals(1), on(0)
    while now < on(4):
        log.run(events, [channel()], now, SOFT)
        now += timedelta(minutes=30)
    row = log.rows[-1]
    assert row.state == "dead"
    assert timedelta(hours=72) <= row.at - on(0) < timedelta(hours=74)
    assert log.run(events, [channel()], now) == []


def test_a_machine_that_was_off_for_a_week_still_delivers() -> None:
    log, events = Log(), deals(2)
    log.run(events[:1], [channel()], on(0))
    assert len(log.run(events, [channel()], on(7))) == 1


def test_a_new_channel_hears_of_three_days_and_not_of_weeks() -> None:
    old, young = deals(1, day=0), deals(1, day=9)
    assert [a.events for a in due([*old, *young], [channel()], [], on(10))] == [(young[0],)]


def test_a_channel_that_asks_for_a_pause_gets_it() -> None:
    log, events = Log(), deals(2)
    slow = DeliveryError("desk", "HTTP 429", retry_after=1000)
    alerts = plan(events[:1], [channel()], [], on(0)).alerts
    log.rows += sending(alerts[0], on(0)) + failed(alerts[0], slow, on(0))
    assert log.rows[-1].pause
    later = on(0) + timedelta(seconds=999)
    assert due(events, [channel(), channel("other")], log.rows, later) != []
    assert {a.channel for a in due(events, [channel(), channel("other")], log.rows, later)} == {"other"}
    assert len(due(events, [channel()], log.rows, on(0) + timedelta(seconds=1000))) == 2


def test_a_pause_of_a_year_is_not_longer_than_the_promise() -> None:
    (alert,) = due(deals(1), [channel()], [], on(0))
    (row,) = failed(alert, DeliveryError("desk", "HTTP 503", retry_after=3e7), on(0))
    assert row.retry_at == on(3)


def test_a_message_that_is_refused_is_dead_at_once() -> None:
    log, events = Log(), deals(1)
    log.run(events, [channel()], on(0), HARD)
    assert [row.state for row in log.rows] == ["sending", "dead"]
    assert not log.rows[-1].refused
    assert log.run(events, [channel()], on(1)) == []


def test_dead_alerts_are_told_of_on_another_channel_once_a_day() -> None:
    log, events, channels = Log(), deals(3), [channel("desk"), channel("mail"), channel("third")]
    alerts = [a for a in plan(events, channels, [], on(0)).alerts if a.channel == "desk"]
    log.rows += sending(alerts[0], on(0)) + failed(alerts[0], GONE, on(0)) + refused(alerts[1:], GONE, on(0))
    assert [row.state for row in log.rows] == ["sending", "dead", "dead", "dead"]
    assert "not tried" in log.rows[-1].detail
    notices = [a for a in log.run(events, channels, on(0) + MINUTE) if not a.events]
    (notice,) = notices
    assert notice.channel == "mail"
    assert "Channel desk does not take alerts: 3 alerts not delivered" in notice.subject
    assert "HTTP 404" in notice.body
    assert "alerts retry --channel desk" in notice.body
    assert [a for a in log.run(events, channels, on(0) + 5 * MINUTE) if not a.events] == []


def test_the_operators_channel_hears_first() -> None:
    channels = [channel("desk"), channel("mail"), channel("ops")]
    log, events = Log(), deals(1)
    (alert,) = due(events, channels[:1], [], on(0))
    log.rows += failed(alert, GONE, on(0))
    made = plan(events, channels, log.rows, on(0), OutboxSettings(operator="ops")).alerts
    assert [a.channel for a in made if not a.events] == ["ops"]


def test_a_notice_that_fails_is_tried_again() -> None:
    channels = [channel("desk", enabled=False), channel("mail")]
    log, events = Log(), deals(1)
    log.rows += failed(due(events, [channel("desk")], [], on(0))[0], GONE, on(0))
    log.rows += sent(due(events, [channel("mail")], [], on(0))[0], on(0))
    assert [a.channel for a in log.run(events, channels, on(0), SOFT)] == ["mail"]
    assert log.run(events, channels, on(0)) == []
    assert len(log.run(events, channels, on(0) + MINUTE)) == 1
    assert log.run(events, channels, on(0) + 9 * MINUTE) == []


def test_retry_makes_dead_alerts_due_again() -> None:
    log, events = Log(), deals(2)
    log.run(events, [channel("desk")], on(0), HARD)
    log.run(events, [channel("mail")], on(0), HARD)
    assert {row.channel for row in retry(log.rows, on(30), "desk")} == {"desk"}
    log.rows += retry(log.rows, on(30))
    assert len(log.run(events, [channel("desk"), channel("mail")], on(30))) == 4
    assert retry(log.rows, on(31)) == []


def test_five_hundred_at_once_are_twenty_messages_and_one_digest() -> None:
    log, events = Log(), deals(500)
    channels = [channel(f"c{n}", url=url) for n, url in enumerate(("json://h", "slack://a", "mailto://h", "ntfy://t"))]
    alerts = log.run(events, channels, on(0))
    for one in channels:
        ours = [a for a in alerts if a.channel == one.name]
        assert [a.digest for a in ours] == [False] * 20 + [True]
        assert {key for a in ours for key in a.of} == {(e.event_id, e.version) for e in events}
        assert "480 more changes" in (ours[-1].subject or ours[-1].body)
    assert log.run(events, channels, on(0) + MINUTE) == []


def test_a_digest_that_failed_goes_out_again_whole_under_the_same_key() -> None:
    log, events, more = Log(), deals(30), deals(30, day=0.5)
    (one, digest) = log.run(events, [channel(max_per_run=1)], on(0), SOFT)
    again = log.run(events + more, [channel(max_per_run=1)], on(1))
    assert [a.digest for a in again] == [False, True]
    assert again[1].key == digest.key
    assert again[1].of == digest.of
    assert again[0].key == one.key
    rest = log.run(events + more, [channel(max_per_run=1)], on(1) + MINUTE)
    assert len(rest[1].of) == 29
    assert all(row.state == "sent" for row in log.last().values())


def test_a_crash_in_mid_send_is_sent_again_with_its_key_and_says_so() -> None:
    log, events = Log(), deals(1)
    (alert,) = due(events, [channel()], [], on(0))
    log.rows += sending(alert, on(0))
    assert due(events, [channel()], log.rows, on(0) + MINUTE) == []  # it may still be at work
    (again,) = due(events, [channel()], log.rows, on(0) + 3 * MINUTE)
    assert again.key == alert.key
    assert again.again and again.attempt == 2
    assert "an earlier attempt was cut off" in again.body
    assert "an earlier attempt was cut off" not in alert.body


def test_quiet_hours_hold_and_then_let_go() -> None:
    held = channel(quiet_hours={"start": "08:00", "end": "11:00"})
    log, events = Log(), deals(2)
    assert log.run(events, [held], on(0)) == []  # 09:00
    assert log.rows == []
    assert len(log.run(events, [held], on(0) + timedelta(hours=2))) == 2


def test_digest_channels_wait_for_the_digest() -> None:
    assert due(deals(2), [channel(mode="digest")], [], on(0)) == []


def test_muted_changes_are_recorded_as_such() -> None:
    made = plan(deals(1), [channel()], [], on(0), muted=lambda event, now: "muted until Friday")
    assert made.alerts == []
    assert [(row.state, row.detail) for row in made.rows] == [("skipped", "muted until Friday")]


def test_a_follow_up_knows_what_this_channel_was_told() -> None:
    versions = told(
        claim("Vela, Orm"), claim("Vela, Orm", status="announced", day=2), claim("Vela, Orm", status="completed", day=9)
    )
    first, second, third = (replace(e, changed_at=on(d)) for e, d in zip(versions, (0, 2, 9), strict=True))
    log, channels = Log(), [channel("all"), channel("late", statuses=["announced", "completed"])]
    log.run([first], channels, on(0))
    follow = {a.channel: a.body for a in log.run([first, second], channels, on(2))}
    assert 'first told on 2 Mar 2026 as "Rumour"' in follow["all"]
    assert "known since 2 Mar 2026" in follow["late"]
    third_alerts = {a.channel: a.body for a in log.run([first, second, third], channels, on(9))}
    assert 'first told on 4 Mar 2026 as "Confirmed"' in third_alerts["late"]
    assert 'first told on 2 Mar 2026 as "Rumour"' in third_alerts["all"]


# --- the whole, against a receiver that does as it likes --------------------------------------------------------------


class Outbox(RuleBasedStateMachine):
    """Runs over a faulty receiver with crashes. The receiver counts what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.now = on(0)
        self.events: list[Event] = []
        self.log = Log()
        self.took: Counter[tuple[str, int]] = Counter()
        self.excused: Counter[tuple[str, int]] = Counter()  # lost answers and crashes after the send
        self.keys: dict[tuple[str, int], set[str]] = {}
        self.paused_until = self.now
        self.refused: set[tuple[str, int]] = set()
        self.channel = channel(max_per_run=3)

    @rule(count=st.integers(1, 6))
    def news(self, count: int) -> None:
        fresh = [claim(f"Vela {len(self.events) + n}x, Orm {len(self.events) + n}x") for n in range(count)]
        self.events += fold((), fresh, self.now, SETTINGS)

    @rule(minutes=st.sampled_from([1, 5, 15, 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @precondition(lambda self: self.events)
    @rule(
        answers=st.lists(
            st.sampled_from(["ok", "ok", "500", "lost", "429", "400", "die before", "die after"]), max_size=5
        )
    )
    def run_once(self, answers: list[str]) -> None:
        made = plan(self.events, [self.channel], self.log.rows, self.now)
        assert sum(1 for a in made.alerts if not a.digest) <= 3
        assert sum(1 for a in made.alerts if a.digest) <= 1
        if made.alerts:
            assert self.now >= self.paused_until
        self.log.rows += made.rows
        script = [*answers, *["ok"] * len(made.alerts)]
        for alert, answer in zip(made.alerts, script, strict=False):
            for of in alert.of:
                self.keys.setdefault(of, set()).add(alert.key)
            self.log.rows += sending(alert, self.now)
            if answer == "die before":
                return
            if answer in ("ok", "lost", "die after"):
                self.took.update(alert.of)
            if answer == "die after":
                self.excused.update(alert.of)
                return
            if answer == "ok":
                self.log.rows += sent(alert, self.now)
            elif answer == "429":
                slow = DeliveryError("desk", "HTTP 429", retry_after=600)
                self.log.rows += failed(alert, slow, self.now)
                self.paused_until = self.now + timedelta(seconds=600)
                return
            else:
                if answer == "lost":
                    self.excused.update(alert.of)
                if answer == "400":
                    self.refused.update(alert.of)
                self.log.rows += failed(alert, HARD if answer == "400" else SOFT, self.now)

    @invariant()
    def nothing_is_doubled_without_an_excuse(self) -> None:
        for of, count in self.took.items():
            assert count <= 1 + self.excused[of]

    @invariant()
    def one_change_has_one_key(self) -> None:
        assert all(len(keys) == 1 for keys in self.keys.values())

    def teardown(self) -> None:
        """With a good receiver everything arrives, but for what was refused."""
        for _ in range(200):
            self.now += 61 * MINUTE
            alerts = self.log.run(self.events, [self.channel], self.now)
            for alert in alerts:
                self.took.update(alert.of)
            if not alerts:
                break
        for event in self.events:
            of = (event.event_id, event.version)
            row = self.log.last()[delivery_key("desk", *of)]
            assert row.state in ("sent", "dead")
            assert (row.state == "dead") <= (of in self.refused)
            assert self.took[of] or of in self.refused


Outbox.TestCase.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
TestOutboxUnderFaults = Outbox.TestCase


@pytest.mark.parametrize(
    "bug",
    ["no sending row", "sent though it failed", "new key each time", "dead without a try"],
)
def test_the_machine_above_sees_seeded_bugs(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these slips in the product must make the state machine fail."""
    ours = sys.modules[__name__]
    good_failed, good_plan = ours.failed, ours.plan
    if bug == "no sending row":
        monkeypatch.setattr(ours, "sending", lambda alert, now: [])
        monkeypatch.setattr(ours, "sent", lambda alert, now: [])
    elif bug == "sent though it failed":
        monkeypatch.setattr(
            ours, "failed", lambda alert, error, now: [replace(r, state="sent") for r in good_failed(alert, error, now)]
        )
    elif bug == "new key each time":
        numbers = iter(range(10**6))

        def renamed(*arguments: Any, **options: Any) -> Any:
            made = good_plan(*arguments, **options)
            made.alerts[:] = [replace(a, key=f"{next(numbers)}") for a in made.alerts]
            return made

        monkeypatch.setattr(ours, "plan", renamed)
    else:
        monkeypatch.setattr(
            ours, "failed", lambda alert, error, now: [replace(r, state="dead") for r in good_failed(alert, error, now)]
        )
    quick = hypothesis_settings(
        max_examples=80, stateful_step_count=25, deadline=None, database=None, derandomize=True, phases=[Phase.generate]
    )
    with pytest.raises(BaseException):  # noqa: B017 - hypothesis groups what it finds
        run_state_machine_as_test(Outbox, settings=quick)
