"""A Prefect server on PostgreSQL and a worker, as real processes on loopback: what a deployment consists of."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(question: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    """The first true answer; AssertionError after the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@contextmanager
def postgres() -> Iterator[str]:
    """A database of our own; "" where there is no PostgreSQL on this machine (Prefect then takes SQLite)."""
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        yield ""
        return
    data, port = Path(tempfile.mkdtemp(prefix="deal-monitor-pg-")), free_port()  # pytest's folders are private
    root = os.geteuid() == 0
    if root:
        shutil.chown(data, "postgres")
    me = ["runuser", "-u", "postgres", "--"] if root else []
    quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*me, "initdb", "-D", str(data), "-A", "trust", "-U", "prefect", "--no-sync"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
    subprocess.run([*me, "pg_ctl", "-D", str(data), "-w", "-o", options, "start"], **quiet)
    try:
        subprocess.run(
            [*me, "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect"],
            **{**quiet, "check": False},
        )
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
    finally:
        subprocess.run([*me, "pg_ctl", "-D", str(data), "-m", "immediate", "stop"], **{**quiet, "check": False})
        shutil.rmtree(data, ignore_errors=True)


def settings_of(file: Path) -> dict[str, str]:
    """The settings of an `.env` example of `deployments/`."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def running(words: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process group that is ended with the block."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, env=dict(environment), stdout=out, stderr=out, cwd=ROOT, start_new_session=True
        )
        try:
            yield process
        finally:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, sign)
                    process.wait(15)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue


@contextmanager
def prefect_server(folder: Path) -> Iterator[dict[str, str]]:
    """A server with the settings of `deployments/server.env`; yields the environment for its clients."""
    with postgres() as database:
        port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT")}
        environment = {
            **clean,
            **settings_of(ROOT / "deployments" / "server.env"),
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        }
        environment |= {"PREFECT_API_DATABASE_CONNECTION_URL": database} if database else {}
        words = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        with running(words, environment, folder / "server.log"):
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/api/health"), "the Prefect server", 120)
            yield environment


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def ask(environment: Mapping[str, str], question: Callable[[Any], Any]) -> Any:
    """What the server knows, by an async client."""
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL, temporary_settings

    async def answer() -> Any:
        async with get_client() as client:
            return await question(client)

    with temporary_settings({PREFECT_API_URL: environment["PREFECT_API_URL"]}):
        return asyncio.run(answer())


def command(environment: Mapping[str, str], *words: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], env=dict(environment), cwd=ROOT, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
