"""Clocks that jump, and monitors that were off for weeks: nothing is lost, nothing told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.pipeline import maintain, open_run
from tests.pipelines import DEAL, NOISE, NOW, Desk, item, page, serve_feed, serve_page
from tests.receivers import Receiver, Reply, webhook
from tests.servers import LoopbackServer, answer

HTML = {"Content-Type": "text/html; charset=utf-8"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, DAY, 3650 * DAY, -HOUR, -DAY, -3650 * DAY], ids=str)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def settle(desk: Desk, *, tries: int = 4) -> None:
    """The clock is right again: some hours of polls."""
    for hour in range(1, tries + 1):
        desk.poll(hour * HOUR)


@JUMPS
def test_a_page_that_failed_under_a_wrong_clock_is_asked_again(
    server: LoopbackServer, desk: Desk, jump: timedelta
) -> None:
    desk.write([serve_feed(server, "/feed", [item(1, DEAL, server.on("/deal", answer(b"", status=503)))])])
    desk.poll(jump)
    server.on("/deal", answer(page(DEAL), headers=HTML))
    for day in range(1, 4):  # what waits for less than a day waits on; nothing waits longer
        desk.poll(day * DAY)
    assert len(desk.alerts) == 1


@JUMPS
@pytest.mark.parametrize("reply", [Reply(500), Reply(429, headers={"Retry-After": "600"})], ids=["error", "pause"])
def test_an_alert_that_failed_under_a_wrong_clock_is_sent_again(
    server: LoopbackServer, desk: Desk, jump: timedelta, reply: Reply
) -> None:
    with webhook() as receiver:
        write_with_hook(server, desk, receiver)
        receiver.answer = lambda _: reply
        desk.poll(jump)
        receiver.answer = lambda _: Reply()
        before = len(receiver.seen)
        for day in range(1, 6):
            desk.poll(day * DAY)
        assert len(receiver.seen) - before == 1


@JUMPS
def test_an_alert_in_mid_send_under_a_wrong_clock_is_sent_again(
    server: LoopbackServer, desk: Desk, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as receiver:
        write_with_hook(server, desk, receiver)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("monitor.pipeline.delivering.send", raising(KeyboardInterrupt))
            desk.poll(jump)
        for day in range(1, 4):
            desk.poll(day * DAY)
        assert len(receiver.seen) == 1


@JUMPS
def test_upkeep_under_a_wrong_clock_forgets_nothing(server: LoopbackServer, desk: Desk, jump: timedelta) -> None:
    """Were the deliveries dropped as too old, everything would be told again once the clock is right."""
    desk.write([serve_feed(server, "/feed", [item(1, DEAL, serve_page(server, "/deal", DEAL))])])
    desk.poll()
    desk.poll(jump)
    upkeep(desk, jump)
    desk.poll(jump + HOUR)
    settle(desk)
    upkeep(desk, 5 * HOUR)
    settle(desk)
    assert len(desk.alerts) == 1


def test_upkeep_drops_what_is_old_by_a_clock_that_runs_on(server: LoopbackServer, desk: Desk) -> None:
    for day in range(6):
        title = f"{DEAL} {day}"
        deals = [item(n, f"{DEAL} {n}", serve_page(server, f"/{n}", title)) for n in range(day + 1)]
        desk.write(
            [serve_feed(server, "/feed", deals, etag=f'"{day}"')], settings="[retention]\ndeliveries_days = 30\n"
        )
        desk.poll((0 if day == 0 else 60 + day) * DAY)
    assert upkeep(desk, 70 * DAY) > 0


def test_off_for_weeks_with_alerts_waiting(server: LoopbackServer, desk: Desk) -> None:
    """The channel was down when the monitor went to sleep for longer than it looks back for changes."""
    with webhook() as receiver:
        write_with_hook(server, desk, receiver)
        receiver.answer = lambda _: Reply(500)
        desk.poll()
        receiver.answer = lambda _: Reply()
        before = len(receiver.seen)
        desk.poll(20 * DAY)
        desk.poll(21 * DAY)
        assert len(receiver.seen) - before == 1


def test_off_for_weeks_after_a_crash(server: LoopbackServer, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It died between a change and the first try to tell it, and was started again after a long holiday."""
    feed = serve_feed(server, "/feed", [item(1, NOISE, serve_page(server, "/1", NOISE))])
    with webhook() as receiver:
        write_with_hook(server, desk, receiver)
        desk.poll()
        second = "Meta and Groq sign a supply contract"
        serve_feed(server, "/feed", [item(2, second, serve_page(server, "/2", second))], etag='"2"')
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("monitor.pipeline.delivering.plan", raising(KeyboardInterrupt))
            desk.poll(DAY)
        assert feed
        assert len(receiver.seen) == 1
        desk.poll(30 * DAY)
        desk.poll(31 * DAY)
        assert len(receiver.seen) == 2


def test_rumours_do_not_expire_by_a_jump(server: LoopbackServer, desk: Desk) -> None:
    title = "Meta in talks to acquire Rivos"
    desk.write([serve_feed(server, "/feed", [item(1, title, serve_page(server, "/talks", title))])])
    desk.poll()
    desk.poll(3650 * DAY)
    upkeep(desk, 3650 * DAY)
    desk.poll(HOUR)
    assert desk.subjects == ["Rumour: acquisition of Rivos by Meta"]


def raising(kind: type[BaseException]) -> Callable[..., None]:
    def act(*_: object) -> None:
        raise kind

    return act


def write_with_hook(server: LoopbackServer, desk: Desk, receiver: Receiver) -> None:
    url = f"json://127.0.0.1:{receiver.port}/hook"
    desk.write(
        [serve_feed(server, "/feed", [item(1, DEAL, serve_page(server, "/deal", DEAL))])],
        channels=f'[[channels]]\nname = "hook"\nurl = "{url}"\nallow_private = true\n',
    )


def upkeep(desk: Desk, after: timedelta) -> int:
    with open_run(load_config(desk.folder), now=NOW + after) as run:
        return maintain(run).dropped


OLD = "Meta and Midjourney form a joint venture"  # three years old, and on the newsroom's first page for ever


@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
def test_what_a_feed_shows_for_years_is_not_told_when_its_row_has_gone(
    server: LoopbackServer, desk: Desk, dated: bool
) -> None:
    """A newsroom with a post a year: its old posts outlive the rows that say that they are known."""
    posts: list[str] = []

    def publish(day: int, headline: str, text: str) -> None:
        date = format_datetime(NOW + day * DAY, usegmt=True) if dated else ""
        posts.insert(0, item(day, headline, serve_page(server, f"/{day}", text), date=date))
        desk.write([serve_feed(server, "/feed", posts, etag=f'"{day}"')], settings='first_poll = "baseline"\n')
        desk.poll(max(day, 0) * DAY)
        upkeep(desk, max(day, 0) * DAY + HOUR)

    publish(-1000, "Our year", OLD)
    for day in (500, 501, 502, 503, 504):
        publish(day, f"Day {day}", f"Day {day}")
    assert desk.alerts == []
    publish(505, DEAL, DEAL)
    assert len(desk.alerts) == 1
