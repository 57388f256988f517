"""Deliveries end to end: real tables, the real pipeline step, real receivers on loopback, a simulated clock.

python tests/test_delivery.py     prints the figures
"""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts import retry
from monitor.config import ChannelConfig, Config
from monitor.events import fold
from monitor.models import Delivery, Event
from monitor.pipeline.delivering import deliver
from monitor.pipeline.run import Run, Watch, watching
from monitor.store import Store, open_store
from tests.deals import SETTINGS, START, claim, on
from tests.receivers import Receiver, Reply, Seen, mail_server, webhook

QUARTER = timedelta(minutes=15)


@dataclass
class Desk:
    """One state, its channels, and runs of the delivery step on it."""

    folder: Path
    channels: tuple[ChannelConfig, ...]
    operator: str = ""
    made: int = 0
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = open_store(str(self.folder / "state"))

    def news(self, count: int, now: datetime) -> list[Event]:
        """So many new deals, stored as the fold would."""
        claims = [claim(f"Vela {n}x, Orm {n}x") for n in range(self.made, self.made + count)]
        self.made += count
        events = fold((), claims, now, SETTINGS)
        self.store.append("events", events)
        return events

    def run(self, now: datetime) -> Run:
        config = Config(
            folder=self.folder, state=str(self.folder / "state"), channels=self.channels, operator=self.operator
        )
        with watching(Watch(console=lambda alert: None)):
            run = Run(config, self.store, now=now)
        deliver(run)
        return run

    def last(self) -> dict[int, Delivery]:
        rows: tuple[Delivery, ...] = self.store.load("deliveries", self.store.scan("deliveries"))
        return {row.delivery_key: row for row in rows}

    def states(self, channel: str) -> Counter[str]:
        return Counter(
            row.state
            for row in self.last().values()
            if row.channel == channel and not row.event_id.startswith("channel:")
        )


def hook(receiver: Receiver, name: str = "hook", **more: Any) -> ChannelConfig:
    return ChannelConfig(name=name, url=f"json://127.0.0.1:{receiver.port}/{name}", allow_private=True, **more)


def told(requests: list[Seen]) -> set[str]:
    """The deals that messages spoke of."""
    return {deal["event_id"] for seen in requests for deal in seen.json["deals"]}


@dataclass
class Faulty:
    """A receiver with 10% errors, 3% lost answers, 429 when asked too fast, and an hour of outage."""

    dice: random.Random
    outage: tuple[datetime, datetime]
    clock: datetime = START
    took: Counter[str] = field(default_factory=Counter)  # by idempotency key
    answers: Counter[str] = field(default_factory=Counter)
    budget: int = 12  # requests a run before 429

    def __call__(self, seen: Seen) -> Reply:
        self.budget -= 1
        key = seen.headers["Idempotency-Key"]
        if self.outage[0] <= self.clock < self.outage[1]:
            return self._say("outage", Reply(503))
        if self.budget < 0:
            return self._say("429", Reply(429, headers={"Retry-After": "1200"}))
        chance = self.dice.random()
        if chance < 0.10:
            return self._say("error", Reply(500))
        self.took[key] += 1
        if chance < 0.13:
            return self._say("lost", Reply(lost=True))
        return self._say("ok", Reply())

    def _say(self, kind: str, reply: Reply) -> Reply:
        self.answers[kind] += 1
        return reply


def faulty_day(folder: Path, seed: int, count: int) -> dict[str, int]:
    """A morning of news to a faulty receiver, then quiet until all is delivered; the figures."""
    with webhook() as receiver:
        faults = Faulty(random.Random(seed), outage=(on(0) + 4 * QUARTER, on(0) + 8 * QUARTER))
        receiver.answer = faults
        desk = Desk(folder, (hook(receiver),))
        events, now, paused = [], on(0), 0
        for quarter in range(200):
            faults.clock, faults.budget = now, 12
            if quarter < 16:
                events += desk.news(count // 16, now)
            before = len(receiver.seen)
            desk.run(now)
            rows = desk.last().values()
            paused += sum(1 for row in rows if row.pause and row.retry_at and row.at < now < row.retry_at) * (
                len(receiver.seen) - before
            )
            if quarter >= 16 and desk.states("hook") == {"sent": len(events)}:
                break
            now += QUARTER
        states = desk.states("hook")
        return {
            "changes": len(events),
            "delivered": states["sent"],
            "told": len(told(receiver.seen) & {e.event_id for e in events}),
            "messages": len(faults.took),
            "duplicates": sum(faults.took.values()) - len(faults.took),
            "lost answers": faults.answers["lost"],
            "errors": faults.answers["error"],
            "429": faults.answers["429"],
            "in outage": faults.answers["outage"],
            "requests in a pause": paused,
            "minutes": int((now - on(0)).total_seconds() / 60),
        }


@pytest.mark.parametrize(
    ("seed", "count"),
    [(1, 64), pytest.param(2, 320, marks=pytest.mark.slow), pytest.param(3, 320, marks=pytest.mark.slow)],
)
def test_a_faulty_receiver_gets_everything(seed: int, count: int, tmp_path: Path) -> None:
    figures = faulty_day(tmp_path, seed, count)
    assert figures["delivered"] == figures["told"] == figures["changes"] == count
    assert figures["duplicates"] <= figures["lost answers"]
    assert figures["requests in a pause"] == 0
    for kind in ("errors", "lost answers", "429", "in outage"):
        assert figures[kind] > 0, f"the receiver was too kind: no {kind}"


@contextmanager
def five_channels(folder: Path) -> Iterator[tuple[Desk, Receiver, list[Any]]]:
    with webhook() as receiver, mail_server() as box:
        port = receiver.port
        urls = {
            "json": f"json://127.0.0.1:{port}/json",
            "mattermost": f"mmost://127.0.0.1:{port}/3ccdd113474722377935511fc85d3dd4",
            "ntfy": f"ntfy://127.0.0.1:{port}/deals",
            "mail": box.url,
            "console": "console://",
        }
        channels = tuple(ChannelConfig(name=name, url=url, allow_private=True) for name, url in urls.items())
        yield Desk(folder, channels), receiver, box.mails


@pytest.mark.slow
def test_five_hundred_matches_at_once_on_five_channels(tmp_path: Path) -> None:
    with five_channels(tmp_path) as (desk, receiver, mails):
        events = desk.news(500, on(0))
        desk.run(on(0))
        assert len(receiver.seen) == 3 * 21
        assert len(mails) == 21
        for channel in desk.channels:
            assert desk.states(channel.name) == {"sent": 500}
        assert told([s for s in receiver.seen if s.path == "/json"]) == {e.event_id for e in events}
        desk.run(on(0) + QUARTER)
        assert len(receiver.seen) == 3 * 21
        assert len(mails) == 21


def test_a_refused_channel_is_dead_after_one_try_told_of_elsewhere_and_retried(tmp_path: Path) -> None:
    with webhook() as bad, webhook() as good:
        bad.answer = lambda seen: Reply(404)
        desk = Desk(tmp_path, (hook(bad, "bad"), hook(good, "good")))
        events = desk.news(50, on(0))
        report = desk.run(on(0)).report
        assert len(bad.seen) == 1
        assert desk.states("bad") == {"dead": 50}
        assert any(p.kind == "dead" and "404" in p.detail for p in report.problems)
        desk.run(on(0) + QUARTER)
        assert len(bad.seen) == 1
        (notice,) = [s.json for s in good.seen if not s.json["deals"]]
        assert "Channel bad does not take alerts: 50 alerts not delivered" in notice["title"]
        assert "404" in notice["message"]
        bad.answer = lambda seen: Reply()
        desk.store.append("deliveries", retry(desk.last().values(), on(0) + 2 * QUARTER, "bad"))
        for more in range(2, 8):
            desk.run(on(0) + more * QUARTER)
        assert desk.states("bad") == {"sent": 50}
        assert told(bad.seen) == {e.event_id for e in events}
        assert len([s for s in good.seen if not s.json["deals"]]) == 1


def test_a_channel_in_a_private_network_is_refused_unless_allowed(tmp_path: Path) -> None:
    with webhook() as receiver:
        channel = ChannelConfig(name="hook", url=f"json://127.0.0.1:{receiver.port}/hook")
        desk = Desk(tmp_path, (channel,))
        desk.news(1, on(0))
        desk.run(on(0))
        assert receiver.seen == []
        (row,) = desk.last().values()
        assert row.state == "dead"
        assert "allow_private" in row.detail


class PowerCut(BaseException):
    """The end of the process, in the middle of a send."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_in_mid_send_repeats_one_message_at_most(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import monitor.pipeline.delivering as step

    with webhook() as receiver:
        desk = Desk(tmp_path, (hook(receiver),))
        events = desk.news(3, on(0))
        good = step.send
        crashes = iter([False, True, False, False, False])

        def cut(*arguments: Any) -> None:
            crash = next(crashes)
            if crash and moment == "before":
                raise PowerCut
            good(*arguments)
            if crash:
                raise PowerCut

        monkeypatch.setattr(step, "send", cut)
        with pytest.raises(PowerCut):
            desk.run(on(0))
        desk.run(on(0) + QUARTER)
        keys = Counter(seen.headers["Idempotency-Key"] for seen in receiver.seen)
        assert told(receiver.seen) == {e.event_id for e in events}
        assert sorted(keys.values()) == ([1, 1, 1] if moment == "before" else [1, 1, 2])
        again = [seen.json for seen in receiver.seen if seen.json["sent_again"]]
        assert len(again) == 1
        assert "may have reached you" in again[0]["message"]
        assert desk.states("hook") == {"sent": 3}


def test_two_runs_at_once_send_each_message_once(tmp_path: Path) -> None:
    """Whoever loses the race for a message leaves it: here the other run comes in between plan and send."""
    with webhook() as receiver:
        desk = Desk(tmp_path, (hook(receiver),))
        desk.news(5, on(0))
        other = replace(desk)
        meddled = iter([True])

        def answer(seen: Seen) -> Reply:
            if next(meddled, False):
                other.run(on(0))
            return Reply()

        receiver.answer = answer
        desk.run(on(0))
        keys = Counter(seen.headers["Idempotency-Key"] for seen in receiver.seen)
        assert sorted(keys.values()) == [1] * 5
        assert desk.states("hook") == {"sent": 5}


if __name__ == "__main__":
    for seed in range(5):
        with tempfile.TemporaryDirectory() as name:
            print(seed, faulty_day(Path(name), seed, 320))
