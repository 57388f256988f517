"""`init`: from nothing to files that work, by options and by four questions on a real terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.config import load_config, load_feeds, seed
from tests.conftest import Command
from tests.servers import LoopbackServer, answer


def test_init_writes_files_that_check_finds_right(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "deals"
    channel = "json://127.0.0.1:9/hook"
    code, out, err = command("init", folder, "--time-zone", "Europe/Berlin", "--channel", channel, "--no-test")
    assert (code, "watchlist.toml" in out, "check" in err) == (0, True, True)
    config = load_config(folder)
    assert (config.time_zone, config.channels[0].url.get_secret_value()) == ("Europe/Berlin", channel)
    assert "127.0.0.1:9" not in (folder / "monitor.toml").read_text(encoding="utf-8")
    assert (folder / "channel.secret").stat().st_mode & 0o077 == 0
    code, _, err = command("--config", folder, "check")
    assert (code, "no mistake found" in err) == (0, True)
    code, _, err = command("init", folder)
    assert (code, "--force" in err) == (1, True)


def test_init_takes_companies_and_kinds_of_feeds(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "deals"
    code, _, err = command("init", folder, "--company", "Facebook", "--company", "Nvidia", "--tag", "releases")
    assert code == 0, err
    config = load_config(folder)
    assert [c.name for c in config.watchlist] == ["Meta", "Nvidia"]
    assert config.feeds
    assert all("releases" in f.tags for f in config.feeds)


def test_init_proposes_feeds_for_the_companies(command: Command, tmp_path: Path) -> None:
    assert command("init", tmp_path / "chips", "--company", "Nvidia")[0] == 0
    chips = load_config(tmp_path / "chips").feeds
    assert command("init", tmp_path / "drugs", "--company", "Eli Lilly")[0] == 0
    drugs = load_config(tmp_path / "drugs").feeds
    everything = load_feeds(seed("feeds.toml"))
    for feeds, own, other in ((chips, "chips", "pharma"), (drugs, "pharma", "chips")):
        tags = {tag for feed in feeds for tag in feed.tags}
        assert {own, "business", "releases"} <= tags
        assert other not in tags
        assert len(feeds) < len(everything)
    assert [f.title for f in chips if "newsrooms" in f.tags] == ["NVIDIA newsroom"]
    assert command("init", tmp_path / "all", "--company", "Nvidia", "--tag", "all")[0] == 0
    assert load_config(tmp_path / "all").feeds == everything


def test_init_watches_a_company_that_it_does_not_know_by_its_name(command: Command, tmp_path: Path) -> None:
    code, _, err = command("init", tmp_path / "own", "--company", "Zorblax Widgets")
    assert (code, "watched by this name alone" in err) == (0, True)
    config = load_config(tmp_path / "own")
    assert [(c.name, c.aliases) for c in config.watchlist] == [("Zorblax Widgets", ())]
    assert {"chips", "pharma", "energy"} <= {tag for feed in config.feeds for tag in feed.tags}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--company", "Nvidea"], "did you mean Nvidia?"),
        (["--tag", "nonsense"], "there are: aggregators, ai"),
        (["--time-zone", "Berlyn"], "did you mean Europe/Berlin?"),
        (["--channel", "slack"], "write one such as"),
        (["--channel", "slak://a/b/c"], "appriseit.com"),
    ],
)
def test_init_writes_nothing_on_a_mistake_and_says_what_was_meant(
    words: list[str], hint: str, command: Command, tmp_path: Path
) -> None:
    code, out, err = command("init", tmp_path / "none", *words)
    assert (code in (1, 2), out, hint in err) == (True, "", True), err
    assert not (tmp_path / "none").exists()


def test_init_ends_with_a_test_alert(command: Command, site: LoopbackServer, tmp_path: Path) -> None:
    code, out, err = command("init", tmp_path / "here", "--company", "Meta")
    assert code == 0
    assert "Rumour: acquisition of Example Ltd by Meta, $1 billion" in out
    assert "console: a test alert was sent" in err
    hook = site.on("/hook", answer(b"ok")).removeprefix("http://")
    code, _, err = command("init", tmp_path / "hook", "--channel", f"json://{hook}")
    assert (code, "FAILED" in err, "allow_private" in err, "check --send" in err) == (1, True, True, True)
    assert load_config(tmp_path / "hook").feeds, "the files are there to be corrected"


def test_init_asks_four_questions_on_a_terminal(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    folder = tmp_path / "deals"
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor.cli", "init", str(folder)], stdin=slave, stdout=slave, stderr=slave,
        env={"PATH": os.environ["PATH"], "TERM": "dumb", "TZ": "Asia/Tokyo", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(slave)
    os.write(master, b"Meta, Nvidea\n\nwombats\n\nslak\n\nnowhere at all\n\n")
    seen = b""
    with suppress(OSError):  # how a terminal ends
        while piece := os.read(master, 4096):
            seen += piece
    os.close(master)
    text = seen.decode()
    assert process.wait(30) == 0, text
    for words in ("1 of 4", "Did you mean Nvidia?", "2 of 4", "there are: aggregators", "3 of 4", "that is no address",
                  "4 of 4", "not a time zone", "Channel console takes alerts", "next: deal-monitor"):  # fmt: skip
        assert words in text, text
    config = load_config(folder)
    assert ([c.name for c in config.watchlist], config.time_zone) == (["Meta", "Nvidia"], "Asia/Tokyo")
    assert 20 < len(config.feeds) < len(load_feeds(seed("feeds.toml")))
