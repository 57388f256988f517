"""The digest: one message a day and channel, with what was not told yet, and honestly what was not covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.pipeline import RunReport, Watch, digest, open_run, watching
from tests.pipelines import DEAL, NOISE, NOW, Desk, item, serve_feed, serve_page
from tests.servers import LoopbackServer

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
    closed = site.url("/closed")
    feed = serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL)), item(2, NOISE, closed)])
    desk.write([feed, site.url("/dead")], channels=CHANNEL)
    assert desk.poll().sent == 0, "a digest channel gets no single alerts"
    assert send(desk, timedelta(hours=1)).sent == 1
    (message,) = desk.alerts
    assert message.subject == "Deal digest, Monday 2 March 2026: 1 new, 0 moved"
    assert "Meta and Midjourney" in message.body
    assert "/dead: failing" in message.body
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
