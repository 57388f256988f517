"""Ctrl-C at any moment, on real processes: they end at once and quietly; running again loses and repeats nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.cli.running import run_steps
from monitor.cli.stopping import CODE, SAYS
from monitor.config import load_config
from monitor.pipeline import Watch, watching
from tests.conftest import Command
from tests.pipelines import Desk, item, page, serve_feed
from tests.servers import Handler, Hit, LoopbackServer, head

PAGES = 24
TEXTS = 3000
STOPPED = (CODE, -signal.SIGINT)  # CPython ends by the signal itself if it came within an `exec`, as dataclasses do


def slowly(body: bytes, seconds: float) -> Handler:
    async def handler(hit: Hit, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(seconds)
        writer.write(head("200 OK", {"Content-Type": "text/html", "Content-Length": str(len(body))}) + body)
        await writer.drain()
        return True

    return handler


@pytest.fixture
def desk(site: LoopbackServer, tmp_path: Path) -> Iterator[Desk]:
    """A feed with many deals, whose pages take their time."""
    desk = Desk(tmp_path)
    titles = [f"Meta and Partner{n} Labs sign licensing deal" for n in range(PAGES)]
    items = [item(n, t, site.on(f"/{n}", slowly(page(t), 0.2))) for n, t in enumerate(titles)]
    desk.write([serve_feed(site, "/feed", items)], channels='[[channels]]\nname = "console"\nurl = "console://"\n')
    rows = ({"id": n, "title": f"Meta and Firm{n} Labs sign licensing deal", "text": ""} for n in range(TEXTS))
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    labels = ({"id": n, "parties": [], "deal_type": "none", "status": "none"} for n in range(TEXTS))
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labels), encoding="utf-8")
    yield desk


def interrupted(words: list[str], folder: Path, after: float) -> tuple[int, str, float]:
    """Exit code, stderr and seconds until the end of a command that gets a Ctrl-C after so long."""
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor.cli", "--config", str(folder), *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
    )  # fmt: skip
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the whole group
    begun = time.monotonic()
    _, err = process.communicate(timeout=30)
    return process.returncode, err, time.monotonic() - begun


@pytest.mark.slow
def test_a_poll_that_is_stopped_again_and_again_loses_and_repeats_nothing(desk: Desk, command: Command) -> None:
    for after in (0.4, 0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 3.5):
        code, err, seconds = interrupted(["poll", "--plain"], desk.folder, after)
        assert code in (0, *STOPPED), err
        assert "Traceback" not in err
        assert seconds < 5
    assert command("--config", desk.folder, "poll", "--plain")[0] == 0
    with watching(Watch(console=lambda alert: None)):  # one that was being sent is tried again when its time is over
        run_steps(load_config(desk.folder), everything=True, now=datetime.now(UTC) + timedelta(minutes=5))
    rows = [json.loads(line) for line in command("--config", desk.folder, "alerts", "--all", "--json")[1].splitlines()]
    assert Counter(row["state"] for row in rows) == {"sent": PAGES}
    events = command("--config", desk.folder, "events", "--limit", "0", "--json")[1].splitlines()
    assert len(events) == PAGES


def test_ctrl_c_while_modules_load_is_not_forgotten() -> None:
    """C code in an import may swallow a KeyboardInterrupt, as pydantic's does; the poll would then go on to its end."""
    swallowing = """
import os, signal
from monitor.cli.stopping import loading
with loading():
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pass
print("went on")
"""
    done = subprocess.run([sys.executable, "-c", swallowing], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (CODE, "", SAYS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["backfill", "texts.jsonl"],
        ["detect", "texts.jsonl"],
        ["evaluate", "labels.jsonl", "--texts", "texts.jsonl"],
        ["demo", "--plain", "--folder", "demo"],
        ["poll"],
    ],
    ids=" ".join,
)
def test_long_commands_stop_at_once_and_quietly(words: list[str], desk: Desk) -> None:
    for after in (0.5, 1.5):
        code, err, seconds = interrupted(words, desk.folder, after)
        assert code in STOPPED, err
        if err or code != -signal.SIGINT:  # else it came before Python was up
            assert err.rstrip().endswith(SAYS)
        assert "Traceback" not in err
        assert seconds < 10
    assert list((desk.folder / "state").rglob("*.tmp*")) == []
