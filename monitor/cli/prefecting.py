"""`deploy` and `serve-flows`: the schedules of `deployments/prefect.yaml` on a Prefect server, or in one process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

    from monitor.config import Config

POOL = "deal-monitor"


def variables(config: Config) -> dict[str, str]:
    """What `prefect.yaml` asks of the environment."""
    return {"DEAL_MONITOR_CONFIG": str(config.folder), "DEAL_MONITOR_TIME_ZONE": config.time_zone}


def root() -> Path:
    """The folder that holds the package `flows`: entry points are relative to it."""
    import flows

    return Path(flows.__file__).resolve().parent.parent


def api_url() -> str:
    """The server that Prefect's settings name; "" if none."""
    from prefect.settings import get_current_settings

    return str(get_current_settings().api.url or "")


@click.command()
@click.pass_obj
def deploy(config: Path | None) -> None:
    """Put the schedules on the Prefect server.

    Sets up the work pool, the deployments poll, poll-now, digest, maintain and backfill, and the rules that mark dead
    runs, on the server that PREFECT_API_URL names; says what to run next.

    \b
    Example:
      $ PREFECT_API_URL=http://127.0.0.1:4200/api deal-monitor --config deals deploy
      5 deployments and 3 automations on http://127.0.0.1:4200/api
      next: prefect worker start --pool deal-monitor
    """
    from monitor.config import load_config, shipped

    loaded = load_config(config)
    url = api_url()
    if not url or not answers(url):
        raise click.ClickException(
            f"no Prefect server answers at {url or 'PREFECT_API_URL, which is not set'}; start one with "
            "`prefect server start`, or use `deal-monitor serve-flows`, which brings its own"
        )
    environment = {**os.environ, **variables(loaded)}
    if not asyncio.run(_pool_is_there()):
        _prefect("work-pool", "create", POOL, "--type", "process", environment=environment)
    file = shipped("deployments", "prefect.yaml")
    _prefect("deploy", "--all", "--prefect-file", str(file), environment=environment)
    made = asyncio.run(_create_automations(shipped("deployments", "automations.yaml")))
    count = len(_listed(loaded))
    click.echo(f"{count} deployments and {made} new automations on {url}")
    output.say(
        f"next: prefect worker start --pool {POOL}   (with the settings of {shipped('deployments', 'worker.env')})\n"
        "then: prefect deployment run poll/poll-now"
    )


def _prefect(*words: str, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *words],
        cwd=root(),
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"prefect {' '.join(words)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


async def _pool_is_there() -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    async with get_client() as client:
        try:
            await client.read_work_pool(POOL)
        except ObjectNotFound:
            return False
        return True


async def _create_automations(file: Path) -> int:
    """Those of the file that the server has not, by name."""
    import yaml
    from prefect.client.orchestration import get_client
    from prefect.events.schemas.automations import AutomationCore

    wanted = [AutomationCore.model_validate(one) for one in yaml.safe_load(file.read_text())["automations"]]
    async with get_client() as client:
        missing = [one for one in wanted if not await client.read_automations_by_name(one.name)]
        for one in missing:
            await client.create_automation(one)
    return len(missing)


def _listed(config: Config) -> list[dict[str, Any]]:
    """The deployments of `prefect.yaml`, their variables filled in."""
    import yaml

    from monitor.config import shipped

    text = shipped("deployments", "prefect.yaml").read_text(encoding="utf-8")
    for name, value in variables(config).items():
        text = text.replace(f"{{{{ ${name} }}}}", value.replace("\\", "\\\\"))
    listed: list[dict[str, Any]] = yaml.safe_load(text)["deployments"]
    return listed


@click.command("serve-flows")
@click.option(
    "--port", type=int, default=4200, show_default=True, help="Of the server that is started if there is none."
)
@click.pass_obj
def serve_flows(config: Path | None, port: int) -> None:
    """Run the schedules from this one process, without a worker.

    Uses the Prefect server that PREFECT_API_URL names; if none is named, starts one, with its page. Ctrl-C ends it.

    \b
    Example:
      $ deal-monitor --config deals serve-flows
      Prefect's page: http://127.0.0.1:4200
      serving poll, poll-now, digest, maintain, backfill; Ctrl-C ends it
    """
    from monitor.config import load_config

    loaded = load_config(config)
    os.environ.setdefault("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "30")
    os.environ["DO_NOT_TRACK"] = "1"
    with _server(port):
        from prefect import serve

        made = [_deployment(one) for one in _listed(loaded)]
        output.say(f"serving {', '.join(one.name or '' for one in made)}; Ctrl-C ends it")
        asyncio.run(_create_automations_of_package())
        serve(*made, pause_on_shutdown=False, print_starting_message=False)


async def _create_automations_of_package() -> int:
    from monitor.config import shipped

    return await _create_automations(shipped("deployments", "automations.yaml"))


def _deployment(listed: Mapping[str, Any]) -> RunnerDeployment:
    """What `prefect deploy` would make of one entry, for `serve`."""
    from importlib import import_module

    from prefect.client.schemas.objects import ConcurrencyLimitConfig

    module, _, name = str(listed["entrypoint"]).partition(".py:")
    flow = getattr(import_module(module.replace("/", ".")), name)
    limit = listed.get("concurrency_limit")
    made: RunnerDeployment = flow.to_deployment(
        name=listed["name"],
        description=listed["description"],
        tags=listed["tags"],
        parameters=listed["parameters"],
        schedules=[_schedule(one) for one in listed.get("schedules", ())],
        concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
    )
    return made


def _schedule(listed: Mapping[str, Any]) -> Any:
    from datetime import timedelta

    from prefect.schedules import Cron, Interval

    more = {"slug": listed["slug"], "parameters": listed.get("parameters", {})}
    if "cron" in listed:
        return Cron(listed["cron"], timezone=listed["timezone"], **more)
    return Interval(timedelta(seconds=listed["interval"]), **more)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


@contextmanager
def _server(port: int) -> Iterator[None]:
    """The server that the settings name, or one of our own until the block ends."""
    if "PREFECT_API_URL" in os.environ:
        yield
        return
    from monitor.config import shipped

    url = f"http://127.0.0.1:{port}/api"
    settings = [
        line.split("=", 1)
        for line in shipped("deployments", "server.env").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **dict(settings), "PREFECT_API_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us: the flows stop first, then the server
    )
    try:
        deadline = time.monotonic() + 120
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise click.ClickException(f"Prefect's server did not start on port {port}; is the port taken?")
            time.sleep(0.3)
        os.environ["PREFECT_API_URL"] = url
        output.say(f"Prefect's page: http://127.0.0.1:{port}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
