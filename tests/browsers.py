"""Debian's chromium, the page served for real on loopback, and a desk that has polled the demo's three mornings."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from monitor.config import load_config, seed
from monitor.pipeline import STEPS, Watch, open_run, watching
from monitor.web.app import make_app
from monitor.web.guard import Rules
from monitor.world import recent_mornings, serve_world

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def poll_mornings(folder: Path) -> Path:
    """A state in the folder as `deal-monitor demo` leaves it; answers monitor.toml."""
    silent = Watch(console=lambda alert: None)
    with watching(silent), serve_world(seed("world"), mornings=recent_mornings(datetime.now(UTC))) as world:
        file = world.write_config(folder)
        for world.morning in (1, 2, 3):
            with open_run(load_config(file), now=world.now, everything=True) as run:
                for step in STEPS:
                    step(run)
    return file


@contextmanager
def served(file: Path, rules: Rules | None = None, **more: Any) -> Iterator[str]:
    """The page on loopback; its address without a slash at the end."""
    with listening(make_app(file, rules or Rules(), **more)) as address:
        yield address


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """An app on a free port of 127.0.0.1."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 20
    while not server.started and time.monotonic() < limit:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Watcher:
    """What goes wrong on a page: errors, dialogs, refusals of the policy, requests to elsewhere."""

    def __init__(self, page: Any, home: str) -> None:
        self.wrong: list[str] = []
        page.on("console", lambda m: m.type in ("error", "warning") and self.wrong.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", self._dialog)
        page.on("request", lambda r: r.url.startswith(home) or self.wrong.append(f"request: {r.url}"))

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()
