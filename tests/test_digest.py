"""The digest: one message a day and channel, with what was not told yet, and honestly what was not covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.pipeline import RunReport, Watch, digest, open_run, watching
from monitor.pipeline.health import look
from monitor.pipeline.upkeep import maintain
from monitor.store import open_store
from tests.pipelines import DEAL, NOISE, NOW, Desk, item, serve_feed, serve_page
from tests.receivers import Reply, webhook
from tests.servers import LoopbackServer, answer

CHANNEL = '[[channels]]\nname = "morning"\nurl = "console://"\nmode = "digest"\n'


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


def send(desk: Desk, after: timedelta, days: float = 1.0) -> RunReport:
    with (
        watching(Watch(console=desk.alerts.append)),
        open_run(load_config(desk.folder), now=NOW + after, lock=False) as run,
    ):
        digest(run, days)
    return run.report


def test_a_digest_tells_what_is_new_and_what_was_not_covered(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    closed = site.on("/closed", answer(status="403 Forbidden"))
    feed = serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL)), item(2, NOISE, closed)])
    desk.write([feed, site.url("/dead")], channels=CHANNEL)
    assert desk.poll().sent == 0, "a digest channel gets no single alerts"
    assert send(desk, timedelta(hours=1)).sent == 1
    (message,) = desk.alerts
    assert message.subject == "Deal digest, Monday 2 March 2026: 1 new, 0 moved"
    assert "Meta and Midjourney" in message.body
    assert "/dead: failing" in message.body
    assert "1 article without a page, read from the feed's summary: 127.0.0.1" in message.body
    assert send(desk, timedelta(hours=2)).sent == 0, "one a day"
    assert send(desk, timedelta(days=1)).sent == 1
    assert desk.alerts[1].subject == "Deal digest, Tuesday 3 March 2026: 0 new, 0 moved"
    assert "Midjourney" not in desk.alerts[1].body, "what was told is not told again"


def test_rumours_grow_old_in_the_digest(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    title = "Meta in talks to acquire Rivos"
    desk.write([serve_feed(site, "/feed", [item(1, title, serve_page(site, "/talks", title))])], channels=CHANNEL)
    desk.poll()
    send(desk, timedelta(days=60))
    assert "Rumours growing old" in desk.alerts[-1].body
    assert "nothing new for 60 days, expires after 90 days" in desk.alerts[-1].body


def two_days_of_news(site: LoopbackServer, desk: Desk, channels: str = CHANNEL) -> None:
    """A deal on the first day, another one two days later."""
    deal = item(1, DEAL, serve_page(site, "/deal", DEAL))
    desk.write([serve_feed(site, "/feed", [deal])], channels=channels)
    send(desk, timedelta(hours=-1))
    desk.poll()
    second = "Meta acquires Rivos"
    later = item(2, second, serve_page(site, "/rivos", second))
    serve_feed(site, "/feed", [later, deal], etag='"2"')


def test_a_digest_that_was_missed_is_made_up_for(site: LoopbackServer, tmp_path: Path) -> None:
    """The machine was off on Tuesday and Wednesday morning: Thursday tells of Monday too."""
    desk = Desk(tmp_path)
    two_days_of_news(site, desk)
    desk.poll(timedelta(days=3))
    send(desk, timedelta(days=3, hours=1))
    assert desk.alerts[-1].subject == "Deal digest, Thursday 5 March 2026: 2 new, 0 moved"
    send(desk, timedelta(days=4))
    assert desk.alerts[-1].subject == "Deal digest, Friday 6 March 2026: 0 new, 0 moved"


def test_a_digest_that_failed_goes_out_with_a_later_poll(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with webhook() as receiver:
        hook = f'[[channels]]\nname = "morning"\nurl = "json://127.0.0.1:{receiver.port}/"\nmode = "digest"\n'
        two_days_of_news(site, desk, hook + "allow_private = true\n")
        receiver.answer = lambda _: Reply(500)
        assert send(desk, timedelta(days=1)).sent == 0
        assert desk.poll(timedelta(days=1, seconds=5)).sent == 0, "its back-off"
        receiver.answer = lambda _: Reply()
        assert desk.poll(timedelta(days=1, hours=1)).sent == 1
        assert "Midjourney" in receiver.seen[-1].body.decode()
        assert desk.poll(timedelta(days=1, hours=2)).sent == 0
        assert send(desk, timedelta(days=1, hours=3)).sent == 0


def test_a_digest_that_failed_all_day_is_in_the_next(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with webhook() as receiver:
        hook = f'[[channels]]\nname = "morning"\nurl = "json://127.0.0.1:{receiver.port}/"\nmode = "digest"\n'
        two_days_of_news(site, desk, hook + "allow_private = true\n")
        receiver.answer = lambda _: Reply(500)
        assert send(desk, timedelta(days=1)).sent == 0
        receiver.answer = lambda _: Reply()
        assert send(desk, timedelta(days=2)).sent == 1
        assert "Midjourney" in receiver.seen[-1].body.decode()
        assert look(load_config(tmp_path), open_store(str(tmp_path / "state")), NOW + timedelta(days=2)).queued == 0


def test_a_poll_that_began_before_the_digest_and_ended_after_it(site: LoopbackServer, tmp_path: Path) -> None:
    """Both start at seven: what the poll stores late has a time before the digest that did not see it."""
    desk = Desk(tmp_path)
    two_days_of_news(site, desk)
    send(desk, timedelta(days=1, seconds=30))
    desk.poll(timedelta(days=1))
    send(desk, timedelta(days=2, seconds=30))
    assert desk.alerts[-1].subject == "Deal digest, Wednesday 4 March 2026: 1 new, 0 moved"
    assert "Rivos" in desk.alerts[-1].body


def test_a_digest_goes_by_company_and_tells_each_deal_once(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    talks, denial, own = (
        "Meta in talks to acquire Rivos",
        "Meta denies talks to acquire Rivos",
        "Google licenses Sesame",
    )
    feed = serve_feed(site, "/feed", [item(1, talks, serve_page(site, "/talks", talks))])
    desk.write([feed], channels=CHANNEL, companies=("Meta", "Google", "Zorblax"))
    desk.poll()
    pages = [item(n, t, serve_page(site, f"/{n}", t)) for n, t in ((2, denial), (3, own))]
    serve_feed(site, "/feed", pages, etag='"2"')
    desk.poll(timedelta(hours=1))
    send(desk, timedelta(hours=2))
    message = desk.alerts[-1]
    assert message.subject.endswith("2 new, 0 moved")
    lines = message.body.splitlines()
    assert lines.index("Google") < lines.index("Meta"), message.body
    assert sum("Rivos" in line for line in lines if line.startswith("- ")) == 1
    assert "was a rumour, now denied" in message.body
    assert "names Zorblax: is there a feed about them?" in message.body
    assert "names Google" not in message.body


def test_a_rumour_that_nobody_confirmed_is_told_as_expired(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    title = "Meta in talks to acquire Rivos"
    desk.write([serve_feed(site, "/feed", [item(1, title, serve_page(site, "/talks", title))])], channels=CHANNEL)
    desk.poll()
    send(desk, timedelta(hours=1))
    for day in (40, 60, 80):  # it was at work all the time
        other = f"{NOISE} {day}"
        serve_feed(site, "/feed", [item(day, other, serve_page(site, f"/{day}", other))], etag=f'"{day}"')
        desk.poll(timedelta(days=day))
    with open_run(load_config(desk.folder), now=NOW + timedelta(days=100)) as run:
        maintain(run)
    send(desk, timedelta(days=100, hours=1))
    assert desk.alerts[-1].subject.endswith("0 new, 0 moved, 1 expired")
    assert "Rumours that expired" in desk.alerts[-1].body
    assert "growing old" not in desk.alerts[-1].body
