"""What tests of commands share: commands run in this process, and a desk after one poll."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.cli import main
from tests.pipelines import DEAL, NOISE, Desk, item, serve_feed, serve_page
from tests.servers import LoopbackServer

WATCHLIST = '[[companies]]\nname = "Meta"\naliases = ["Facebook"]\n'
Result = tuple[int, str, str]
Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs one command in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: object, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "argv", ["deal-monitor", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    file = tmp_path / "watch.toml"
    file.write_text(WATCHLIST, encoding="utf-8")
    return file


@pytest.fixture
def site() -> Iterator[LoopbackServer]:
    with LoopbackServer() as server:
        yield server


@pytest.fixture
def polled(site: LoopbackServer, tmp_path: Path, command: Command) -> Desk:
    """A desk after one poll: one deal, one article of no interest, one feed that is dead."""
    desk = Desk(tmp_path)
    feed = serve_feed(
        site, "/feed", [item(1, DEAL, serve_page(site, "/deal", DEAL)), item(2, NOISE, site.url("/lost"))]
    )
    desk.write([feed, site.url("/dead")])
    code, out, err = command("--config", tmp_path, "poll", "--plain")
    assert (code, "Meta and Midjourney" in out, "not_found" in err) == (0, True, True), out + err
    return desk
