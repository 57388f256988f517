"""Processes that are killed, and processes that race: real ones, on real tables, with a real webhook that counts.

The number of rounds is small here; DEAL_MONITOR_ROUNDS=200 runs as many as the promise was measured with.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipelines import Desk, item, rss, serve_page
from tests.servers import LoopbackServer, answer

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("DEAL_MONITOR_ROUNDS", "20"))
SIDES = ("Groq", "Rivos", "Sonos", "Infosys", "Corning", "Nokia", "Midjourney", "Etsy", "Garmin", "Logitech")
KINDS = ("sign a licensing deal", "sign a supply contract")

# the flow's steps without the lock, so that nothing but the tables decides who does what
POLLER = """
import sys
from pathlib import Path
from monitor.config import load_config
from monitor.pipeline import STEPS, open_run
with open_run(load_config(Path(sys.argv[1])), everything=True, lock=False) as run:
    for step in STEPS:
        step(run)
"""


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


class Town:
    """A feed that brings two new deals a round, and a desk whose alerts go to a webhook."""

    def __init__(self, server: LoopbackServer, folder: Path, rounds: int) -> None:
        self.server, self.desk = server, Desk(folder)
        self.titles: list[str] = []
        self.rows: list[str] = []
        hook = server.on("/hook", answer(b"ok")).removeprefix("http://")
        channel = f'[[channels]]\nname = "hook"\nurl = "json://{hook}"\nallow_private = true\nmax_per_run = 1000\n'
        watched = [f"Firm{number:03} Systems" for number in range(rounds * 2)]
        self.desk.write([server.url("/feed")], companies=watched, channels=channel)

    def news(self) -> None:
        for _ in range(2):
            number = len(self.titles)
            title = f"Firm{number:03} Systems and {SIDES[number % len(SIDES)]} {KINDS[number % 2]}"
            self.titles.append(title)
            self.rows.insert(0, item(number, title, serve_page(self.server, f"/{number}", title)))
        self.server.on("/feed", answer(rss(self.rows), headers={"ETag": f'"{len(self.rows)}"'}))

    def poller(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", POLLER, str(self.desk.folder)], stdout=subprocess.DEVNULL, start_new_session=True
        )

    def alerts(self) -> Counter[str]:
        """How often each deal was told."""
        told: Counter[str] = Counter()
        for hit in self.server.hits:
            if hit.path.partition("?")[0] == "/hook":
                message = json.dumps(json.loads(hit.body))
                told.update(title for title in self.titles if title in message)
        return told


def test_kills_at_any_moment_lose_nothing(site: LoopbackServer, tmp_path: Path) -> None:
    rng = random.Random(11)
    town = Town(site, tmp_path, ROUNDS)
    usual, kills = 3.0, 0
    for _ in range(ROUNDS):
        town.news()
        process = town.poller()
        begun = time.monotonic()
        try:
            process.wait(rng.uniform(0.3, usual * 1.1))
            usual = 0.7 * usual + 0.3 * (time.monotonic() - begun)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills >= ROUNDS / 4, "the kills came too late to prove anything"
    _run_until_quiet(town)
    told = town.alerts()
    assert [title for title in town.titles if not told[title]] == [], "lost"
    assert sum(told.values()) - len(town.titles) <= kills, "a message in mid-send at each kill, at most"


def _run_until_quiet(town: Town) -> None:
    """What was in mid-send is sent again once its lease has run out; the test does not wait: it moves the clock."""
    from datetime import UTC, datetime, timedelta

    from monitor.config import load_config
    from monitor.pipeline import STEPS, open_run

    for hours in (0, 1, 2):
        now = datetime.now(UTC) + timedelta(hours=hours)
        with open_run(load_config(town.desk.folder), now=now, everything=True) as run:
            for step in STEPS:
                step(run)


def test_four_pollers_at_once_tell_each_deal_once(site: LoopbackServer, tmp_path: Path) -> None:
    rounds = max(3, ROUNDS // 4)
    town = Town(site, tmp_path, rounds)
    for _ in range(rounds):
        town.news()
        pollers = [town.poller() for _ in range(4)]
        assert [poller.wait(120) for poller in pollers] == [0, 0, 0, 0]
    assert town.alerts() == Counter(town.titles)
