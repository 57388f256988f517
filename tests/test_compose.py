"""What `deployments/compose.yaml` starts, piece by piece and without containers: this machine cannot run any."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.cli import COMMANDS
from tests.pipelines import Desk
from tests.prefect_world import ROOT, free_port, running, settings_of, wait_for

FOLDER = ROOT / "deployments"
OURS = ("deploy", "worker", "page")
WANTS = 'operator = "mail"\n\n[page]\ntoken = "env:DEAL_MONITOR_TOKEN"\n'
MAIL = '[[channels]]\nname = "mail"\nurl = "env:DEAL_MONITOR_MAIL"\nallow_private = true\n'


def services() -> dict[str, Any]:
    """The services, with the values of the environment example filled in as compose does."""
    example = settings_of(FOLDER / "compose.env.example")

    def fill(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        assert name in example, f"compose.env.example says nothing of {name}"
        value = example[name] or (word if kind == ":-" else "")
        assert value, f"{name} is wanted and empty"
        return value

    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", fill, text))["services"]
    return found


def environment(service: str, config: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "DEAL_MONITOR"))}
    given: dict[str, str] = services()[service]["environment"]
    return clean | given | {"DEAL_MONITOR_CONFIG": str(config)}


def ours(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **more)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write(["https://feed.example/"], settings=WANTS, channels=MAIL)
    return desk


@pytest.mark.parametrize("service", OURS)
def test_each_service_can_read_the_configuration(service: str, desk: Desk) -> None:
    """All read all of it: a variable that only one of them is given stops the others."""
    done = ours("check", env=environment(service, desk.folder))
    assert done.returncode == 0, done.stderr


def test_commands_exist() -> None:
    for name, service in services().items():
        words = shlex.split(service.get("command", ""))
        if words[:1] == ["deal-monitor"]:
            assert words[1] in COMMANDS, name
    assert services()["worker"]["command"].endswith("--pool deal-monitor")


def test_the_server_is_set_up_as_without_containers() -> None:
    given = services()["prefect"]["environment"]
    assert settings_of(FOLDER / "server.env").items() <= given.items()
    assert given["PREFECT_API_DATABASE_CONNECTION_URL"].startswith("postgresql+asyncpg://prefect:")
    worker = settings_of(FOLDER / "worker.env")
    wanted = {k: v for k, v in worker.items() if k != "PREFECT_API_URL"}
    assert wanted.items() <= services()["worker"]["environment"].items()


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in services().values() for port in service.get("ports", ())]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_only_the_page_may_write_to_the_configuration() -> None:
    writable = {n for n, s in services().items() if any(v == "../deals:/config" for v in s.get("volumes", ()))}
    assert writable == {"page"}


def test_what_is_copied_into_the_image_is_there() -> None:
    for line in (FOLDER / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY"):
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line


def test_the_page_starts_and_is_healthy(desk: Desk, tmp_path: Path) -> None:
    page, port = services()["page"], free_port()
    words = page["command"].replace("deal-monitor", f"{sys.executable} -m monitor.cli").replace("0.0.0.0", "127.0.0.1")
    command = [*shlex.split(words), "--port", str(port)]
    probe = [sys.executable, *page["healthcheck"]["test"][2:]]
    probe[-1] = probe[-1].replace("8750", str(port))

    def healthy() -> bool:
        return subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0

    with running(command, environment("page", desk.folder), tmp_path / "page.log"):
        wait_for(healthy, "the page", 60)
