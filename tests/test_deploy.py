"""Deployments on a real Prefect server on PostgreSQL: scheduled and ad-hoc runs, and a worker that is killed."""

from __future__ import annotations

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines import DEAL, Desk, item, serve_feed, serve_page
from tests.prefect_world import ROOT, ask, command, free_port, prefect_server, running, settings_of, wait_for
from tests.receivers import webhook
from tests.servers import LoopbackServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as environment:
        yield environment


@pytest.fixture(scope="module")
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture(scope="module")
def desk(site: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.write([serve_feed(site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL))])])
    return desk


@pytest.fixture(scope="module")
def deployed(world: dict[str, str], desk: Desk) -> dict[str, str]:
    done = command(world, "monitor.cli", "--config", str(desk.folder), "deploy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("5 deployments and 3 new automations")
    assert "prefect worker start --pool deal-monitor" in done.stderr
    return world


@pytest.fixture
def worker(deployed: dict[str, str], tmp_path: Path) -> Iterator[Any]:
    environment = {**settings_of(ROOT / "deployments" / "worker.env"), **deployed}
    words = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "deal-monitor"]
    with running(words, environment, tmp_path / "worker.log") as process:
        yield process


def runs(world: dict[str, str]) -> list[Any]:
    return ask(world, lambda client: client.read_flow_runs(limit=200))  # type: ignore[no-any-return]


def test_the_server_has_what_the_file_says(deployed: dict[str, str], desk: Desk) -> None:
    listed = yaml.safe_load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    there = {d.name: d for d in ask(deployed, lambda client: client.read_deployments())}
    assert set(there) == {one["name"] for one in listed}
    assert there["poll"].parameters == {"config": str(desk.folder), "everything": False}
    assert there["poll"].concurrency_options.collision_strategy.value == "CANCEL_NEW"
    assert there["poll-now"].concurrency_options is None
    assert [s.schedule.timezone for s in there["digest"].schedules] == ["UTC", "UTC"]
    assert there["backfill"].schedules == []
    again = command(deployed, "monitor.cli", "--config", str(desk.folder), "deploy")
    assert again.stdout.startswith("5 deployments and 0 new automations")


def test_scheduled_runs_appear(deployed: dict[str, str]) -> None:
    """With a SQLAlchemy that is too new the scheduler makes none, and says so only in the server's log."""
    names = {d.id: d.name for d in ask(deployed, lambda client: client.read_deployments())}

    def scheduled() -> set[str]:
        return {names[r.deployment_id] for r in runs(deployed) if r.deployment_id and r.auto_scheduled}

    wait_for(lambda: scheduled() >= {"poll", "digest", "maintain"}, "runs of the three schedules", 60)


def test_an_ad_hoc_run_polls_and_says_what_it_did(deployed: dict[str, str], worker: Any, desk: Desk) -> None:
    done = command(deployed, "prefect", "deployment", "run", "poll/poll-now", "--param", "everything=true")
    assert done.returncode == 0, done.stdout + done.stderr

    def finished() -> Any:
        return next((r for r in runs(deployed) if r.state_name == "Completed" and r.name.startswith("poll:")), None)

    run = wait_for(finished, "the run to complete", 120)
    assert run.name == "poll: 1 feed, 1 new article, 1 change, 1 alert"
    state = command(deployed, "monitor.cli", "--config", str(desk.folder), "events", "--json")
    assert '"parties": ["Meta", "Midjourney"]' in state.stdout
    wait_for(lambda: "deal-monitor.event.new" in event_names(deployed), "the event that automations build on", 30)


def test_a_run_that_fails_is_told_to_the_operator_once(deployed: dict[str, str], worker: Any, tmp_path: Path) -> None:
    """Even where a mistake in a file is what is wrong; and not again every quarter of an hour."""
    with webhook() as receiver:
        desk = Desk(tmp_path)
        url = f"json://127.0.0.1:{receiver.port}/ops"
        channel = f'[[channels]]\nname = "ops"\nurl = "{url}"\nallow_private = true\n'
        desk.write(["https://feed.example/"], settings='operator = "ops"\n', channels=channel)
        (desk.folder / "feeds.toml").write_text("[[feeds]]\nurl = nonsense\n", encoding="utf-8")
        for count in (1, 2):
            done = command(
                deployed, "prefect", "deployment", "run", "poll/poll-now", "--param", f"config={desk.folder}",
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr

            def failed(wanted: int = count) -> bool:
                ours = [r for r in runs(deployed) if r.parameters.get("config") == str(desk.folder)]
                return sum(r.state_name == "Failed" for r in ours) == wanted

            wait_for(failed, "the run to fail", 120)
        (told,) = receiver.seen
        assert "feeds.toml" in told.json["message"]
        assert "of the deal monitor failed" in told.json["title"]


def test_a_killed_worker_leaves_nothing_running_and_the_next_run_takes_over(
    deployed: dict[str, str], worker: Any, site: LoopbackServer, tmp_path: Path
) -> None:
    """Worker and flow are killed in mid-run; a rule marks the run, the tables' lock is free at once."""
    from tests.servers import stall

    desk = Desk(tmp_path)
    desk.write([site.on("/slow", stall())], settings="")
    done = command(
        deployed, "prefect", "deployment", "run", "poll/poll-now", "--param", f"config={desk.folder}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: site.count("/slow"), "the poll to be at work", 120)
    victim = next(r for r in runs(deployed) if r.parameters.get("config") == str(desk.folder))
    os.killpg(worker.pid, signal.SIGKILL)
    for pid in flow_processes(str(victim.id)):
        os.kill(pid, signal.SIGKILL)
    serve_feed(site, "/slow", [item(1, DEAL, site.url("/deal"))])
    next_run = command(deployed, "monitor.cli", "--config", str(desk.folder), "poll", "--plain")
    assert next_run.returncode == 0, next_run.stderr
    assert "Midjourney" in next_run.stdout

    def state() -> str:
        return str(ask(deployed, lambda client: client.read_flow_run(victim.id)).state_name)

    wait_for(lambda: state() == "Crashed", f"the dead run to be marked (it is {state()})", 240)


def test_all_of_it_from_one_process(site: LoopbackServer, desk: Desk, tmp_path: Path) -> None:
    """`serve-flows` brings its own server, runs what is asked for, and ends with Ctrl-C."""
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT")}
    clean |= {"PREFECT_HOME": str(tmp_path / "home")}
    world = {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    words = [sys.executable, "-m", "monitor.cli", "--config", str(desk.folder), "serve-flows", "--port", str(port)]
    log = tmp_path / "serve.log"
    with running(words, clean, log) as process:
        wait_for(lambda: "serving poll, poll-now, digest" in log.read_text(), "serve-flows", 120)
        (now,) = wait_for(
            lambda: [d for d in ask(world, lambda client: client.read_deployments()) if d.name == "poll-now"],
            "the deployments",
        )
        run = ask(world, lambda client: client.create_flow_run_from_deployment(now.id))

        def state() -> Any:
            return ask(world, lambda client: client.read_flow_run(run.id))

        wait_for(lambda: state().state_name in ("Completed", "Failed"), "the run", 120)
        assert state().state_name == "Completed", log.read_text()
        assert state().name.startswith("poll: 1 feed")
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(30) == 0


def event_names(world: dict[str, str]) -> set[str]:
    """Names of the monitor's own events on the server."""
    wanted = {"filter": {"event": {"prefix": ["deal-monitor."]}}, "limit": 50}
    request = urllib.request.Request(
        f"{world['PREFECT_API_URL']}/events/filter",
        data=json.dumps(wanted).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {event["event"] for event in json.load(answer)["events"]}


def flow_processes(run_id: str) -> list[int]:
    """Processes whose environment names the flow run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if run_id.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found
