"""The flow on a real Prefect server: what a scheduled run does, and what a person sees of it there."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.running import quiet_prefect
from monitor.config import load_config
from monitor.errors import InputError, LockHeld
from monitor.pipeline import RunFailed, Watch, open_run, watching
from tests.pipelines import DEAL, Desk, item, serve_feed, serve_page
from tests.prefect_world import command
from tests.servers import LoopbackServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server of this test's own."""
    quiet_prefect(tmp_path_factory.mktemp("prefect"))
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def desk(site: LoopbackServer, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write([serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL))]), site.url("/dead")])
    return desk


def run(desk: Desk, **parameters: Any) -> str:
    from flows.poll import poll

    with watching(Watch(console=desk.alerts.append)):
        return poll(config=desk.folder, everything=True, **parameters)


def ask(question: Any) -> Any:
    """What the server knows, by an async client."""
    from prefect.client.orchestration import get_client

    async def answer() -> Any:
        async with get_client() as client:
            return await question(client)

    return asyncio.run(answer())


def test_the_flow_does_the_work_and_says_so(prefect: None, desk: Desk) -> None:
    assert run(desk) == "2 feeds, 1 new article, 1 change, 1 alert, 1 feed failing"
    assert len(desk.alerts) == 1
    runs = ask(lambda client: client.read_flow_runs())
    newest = max(runs, key=lambda r: r.start_time)
    assert newest.name == "poll: 2 feeds, 1 new article, 1 change, 1 alert, 1 feed failing"
    assert newest.state_name == "Completed"
    artifacts = ask(lambda client: client.read_artifacts())
    page = next(a for a in artifacts if a.key == "deal-monitor-poll" and a.flow_run_id == newest.id)
    assert "Meta and Midjourney" in page.data
    assert "not_found" in page.data
    tasks = {
        t.name.rpartition("-")[0] for t in ask(lambda client: client.read_task_runs()) if t.flow_run_id == newest.id
    }
    assert tasks == {"poll", "read", "diff", "deliver", "digest_again"}


def test_a_run_of_which_nothing_came_is_failed(prefect: None, site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write([site.url("/nothing")])
    with pytest.raises(RunFailed, match="none of 1 feeds"):
        run(desk)
    newest = max(ask(lambda client: client.read_flow_runs()), key=lambda r: r.start_time)
    assert newest.state_name == "Failed"


def test_a_server_that_is_down_is_said_before_anything_runs(site: LoopbackServer, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write([serve_feed(site, "/feed", [])])
    done = command(
        {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:9/api"}, "monitor.cli", "--config", str(tmp_path), "poll"
    )
    assert (done.returncode, "no Prefect server answers" in done.stderr, site.hits) == (1, True, [])
    assert "Traceback" not in done.stderr


def test_a_run_that_hangs_is_ended_and_frees_the_tables(
    prefect: None, site: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would hold the only slot, and every later poll would be cancelled in silence."""
    import flows.poll

    assert flows.poll.poll.timeout_seconds == 3600
    desk = Desk(tmp_path)
    desk.write([serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL))])])
    monkeypatch.setattr("monitor.pipeline.polling.BATCH", 1)
    monkeypatch.setattr("monitor.pipeline.reading._todo", lambda _: time.sleep(60))
    monkeypatch.setattr("flows.poll.poll", flows.poll.poll.with_options(timeout_seconds=3))
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        run(desk)
    assert time.monotonic() - begun < 20
    monkeypatch.undo()
    desk.poll()
    assert len(desk.alerts) == 1


def test_a_long_run_shows_how_far_it_is(prefect: None, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.record.PACE", 0.0)
    run(desk)
    artifacts = ask(lambda client: client.read_artifacts())
    (shown,) = [a for a in artifacts if a.key == "deal-monitor-progress"]
    assert (shown.data, shown.description) == (100.0, "deliver: 1 of 1")


def test_the_artifact_leads_to_the_page(prefect: None, desk: Desk) -> None:
    file = desk.folder / "monitor.toml"
    file.write_text('page_url = "https://deals.example.org/"\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    run(desk)
    pages = [a.data for a in ask(lambda client: client.read_artifacts()) if a.key == "deal-monitor-poll"]
    assert any("[Meta and Midjourney](<https://deals.example.org/events/" in page for page in pages)


@pytest.mark.parametrize("shares", [{"shard": 3, "shards": 3}, {"shard": -1}, {"shards": 0}])
def test_a_share_that_does_not_exist_is_refused(prefect: None, desk: Desk, shares: dict[str, int]) -> None:
    """It would poll nothing, and look well."""
    from prefect.exceptions import ParameterTypeError

    with pytest.raises((InputError, ParameterTypeError), match=r"shares count from 0 to 2|greater than or equal to"):
        run(desk, **shares)


def test_two_runs_at_once_are_kept_apart(prefect: None, desk: Desk) -> None:
    with open_run(load_config(desk.folder)), pytest.raises(LockHeld):
        run(desk)
    assert desk.alerts == []
