"""Beyond one machine: a Dask cluster, tables on an S3 API, several pollers at once. The deals must be the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load_config
from monitor.models import Event
from monitor.pipeline import open_run
from monitor.store import open_store
from tests.pipelines import NOW, Desk, item, rss, serve_page
from tests.prefect_world import free_port, running, wait_for
from tests.s3_server import BUCKET, CREDENTIALS, serving
from tests.servers import LoopbackServer, conditional

pytestmark = pytest.mark.slow

DEALS = [
    "Meta and Midjourney sign a licensing deal",
    "Meta and Groq sign a supply contract",
    "Google and Sonos sign a licensing deal",
    "Nvidia and Nokia sign a supply contract",
    "Oracle and Infosys sign a supply contract",
    "Apple and Corning sign a supply contract",
]
WATCHED = ("Meta", "Google", "Nvidia", "Oracle", "Apple")


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    """Four hosts, each with a feed of the same deals and of noise."""
    with LoopbackServer(address="0.0.0.0") as server:
        yield server


def fill(server: LoopbackServer) -> list[str]:
    feeds = []
    for host in range(1, 5):
        rows = []
        for number, title in enumerate(DEALS):
            link = serve_page(server, f"/{host}/{number}", title)
            rows.append(item(100 * host + number, title, link.replace("127.0.0.1", f"127.0.0.{host}")))
        server.on(f"/{host}/feed", conditional(rss(rows), etag='"1"'))
        feeds.append(server.url(f"/{host}/feed", f"127.0.0.{host}"))
    return feeds


def deals(state: str) -> list[tuple[Any, ...]]:
    """What is known, without what depends on who came first: ids, times, the outlet quoted."""
    store = open_store(state)
    events: tuple[Event, ...] = store.load("events", store.latest("events"))
    return sorted((e.parties, e.deal_type, e.status, tuple(sorted(e.outlets)), e.claim_count) for e in events)


def news(state: str) -> Counter[str]:
    """How often each deal became new, and how often it was sent."""
    store = open_store(state)
    events: tuple[Event, ...] = store.load("events", store.scan("events"))
    sent = store.load("deliveries", store.scan("deliveries"))
    by_id = {e.event_id: " and ".join(e.parties) for e in events}
    counts = Counter(f"new: {by_id[e.event_id]}" for e in events if e.change == "new")
    return counts + Counter(f"sent: {by_id[d.event_id]}" for d in sent if d.state == "sent")


@pytest.fixture
def expected(site: LoopbackServer, tmp_path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The feeds, and what one process on a folder makes of them."""
    feeds = fill(site)
    desk = Desk(tmp_path / "one")
    desk.folder.mkdir()
    desk.write(feeds, companies=WATCHED)
    assert desk.poll().sent == len(DEALS)
    return feeds, deals(str(desk.folder / "state"))


def test_a_dask_cluster_finds_the_same(expected: tuple[list[str], list[tuple[Any, ...]]], tmp_path: Path) -> None:
    feeds, known = expected
    address = f"tcp://127.0.0.1:{free_port()}"
    clean = dict(os.environ)
    scheduler = [sys.executable, "-m", "dask", "scheduler", "--host", address, "--no-dashboard"]
    worker = [sys.executable, "-m", "dask", "worker", address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"]
    with running(scheduler, clean, tmp_path / "scheduler.log"), running(worker, clean, tmp_path / "worker.log"):
        wait_for(lambda: _workers(address) == 2, "two workers of the cluster", 60)
        desk = Desk(tmp_path / "cluster")
        desk.folder.mkdir()
        file = desk.write(feeds, companies=WATCHED)
        text = file.read_text(encoding="utf-8").replace(
            "workers = 1", f'workers = 1\nengine = "dask"\ndask_address = "{address}"'
        )
        file.write_text(text, encoding="utf-8")
        report = desk.poll()
    assert report.sent == len(DEALS)
    assert deals(str(desk.folder / "state")) == known
    assert set(news(str(desk.folder / "state")).values()) == {1}


def _workers(address: str) -> int:
    import distributed

    client: Any = distributed.Client
    try:
        with client(address, timeout=2, set_as_default=False) as one:
            return len(one.scheduler_info()["workers"])
    except OSError:
        return 0


POLLER = """
import sys
from datetime import datetime
from pathlib import Path
from monitor.config import load_config
from monitor.pipeline import STEPS, open_run
with open_run(load_config(Path(sys.argv[1])), now=datetime.fromisoformat(sys.argv[2]), everything=True,
              shard=(int(sys.argv[3]), int(sys.argv[4]))) as run:
    for step in STEPS:
        step(run)
"""


def test_pollers_at_once_on_an_s3_api_double_nothing(
    expected: tuple[list[str], list[tuple[Any, ...]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes, each with half of the hosts; both fold the same claims and race for the same alerts."""
    feeds, known = expected
    with serving() as (endpoint, _):
        # the copies that the store keeps of a bucket's files belong to this bucket, not to one of an earlier run
        settings = {"AWS_ENDPOINT_URL": endpoint, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        for name, value in {**CREDENTIALS, **settings}.items():
            monkeypatch.setenv(name, value)
        state = f"s3://{BUCKET}/deals"
        desk = Desk(tmp_path / "shared")
        desk.folder.mkdir()
        desk.write(feeds, companies=WATCHED, settings=f'state = "{state}"\n')
        for round_ in range(2):
            at = (NOW + timedelta(hours=round_)).isoformat()
            pollers = [
                subprocess.Popen(
                    [sys.executable, "-c", POLLER, str(desk.folder), at, str(shard), "2"],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                )
                for shard in (0, 1)
            ]  # fmt: skip
            outputs = [poller.communicate(timeout=120)[0] for poller in pollers]
            assert [poller.returncode for poller in pollers] == [0, 0], outputs
        assert deals(state) == known
        assert set(news(state).values()) == {1}, news(state)


def test_shards_share_out_hosts_and_leave_none_out(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write([f"https://host{n}.example.org/{m}" for n in range(40) for m in range(2)])
    config = load_config(tmp_path)
    shares = []
    for shard in range(3):
        with open_run(config, now=NOW, shard=(shard, 3)) as run:
            shares.append({f.url for f in run.feeds.values()})
    assert sum(map(len, shares)) == len(set().union(*shares)) == 80
    for share in shares:
        hosts = Counter(re.sub(r"/\d$", "", url) for url in share)
        assert set(hosts.values()) == {2}, "the feeds of one host are in one share, so that its limits hold"
