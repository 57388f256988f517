"""Help and README tell the truth: their examples are run, and what they show is what comes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from monitor.cli import COMMANDS, cli
from monitor.cli.running import run_steps
from monitor.config import load_config, seed
from monitor.pipeline import Watch, watching
from monitor.world import serve_world

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# why an example is not run here
ELSEWHERE = {
    "demo": "tests/test_demo.py runs it",
    "poll": "asks the feeds of the web; tests/test_cli.py polls a site on loopback",
    "feeds add": "asks the web; tests/test_cli.py has a site",
    "label": "its id is that of one day; tests/test_cli_label.py",
    "serve": "runs until it is stopped; tests of the page",
    "deploy": "wants a server; tests/test_deploy.py",
    "serve-flows": "runs until it is stopped; tests/test_deploy.py",
}
TEXTS = {
    "archive.jsonl": '{"id": "a1", "title": "Meta and Runway form partnership", "published": "2026-01-05T08:00:00Z"}\n',
    "texts.jsonl": '{"id": "1", "title": "Meta and Midjourney sign licensing deal", "text": ""}\n',
    "labels.jsonl": '{"id": "1", "parties": ["Meta", "Midjourney"], "deal_type": "licensing", "status": "announced", '
    '"watch": [{"name": "Meta", "aliases": ["Meta"]}]}\n',
}
CHANGING = (  # what differs from run to run
    (r"\b[0-9a-f]{16}\b", "ID"),
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}", "DAY"),
    (r"\d{4}([-/])\d\d\1\d\d", "DAY"),
    (r"in \d+ (min|h|d)|\d+ (min|h|d) ago|\bnow\b", "WHEN"),
    (r"\d+ (old rows|files) ", r"N \1 "),
    (r"\s+", " "),
)


def plain(line: str) -> str:
    for pattern, word in CHANGING:
        line = re.sub(pattern, word, line)
    return line.strip()


def examples(text: str) -> list[tuple[str, list[str]]]:
    """(command line, lines shown under it) of each `$` in a text. A line that ends in a backslash goes on."""
    found: list[tuple[str, list[str]]] = []
    for line in text.replace("\b", "").replace("\\\n", "").splitlines():
        if line.strip().startswith("$ "):
            command = line.strip()[2:].partition("   #")[0].replace("uv run deal-monitor", "deal-monitor")
            found.append((re.sub(r"\s+\|", " |", command), []))
        elif found and line.startswith("    ") and line.strip():
            found[-1][1].append(line.replace("uv run deal-monitor", "deal-monitor"))
        elif found and line.strip():
            found.append(("", []))  # prose: what follows is not that command's
    return [one for one in found if one[0]]


def run(command: str, folder: Path) -> str:
    env = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100",
        "HOME": str(folder), "PYTHONUTF8": "1", "TZ": "UTC",
    }  # fmt: skip
    env.pop("UV_RUN_RECURSION_DEPTH", None)  # by which we tell that we were called through uv
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, f"$ {command}\n{done.stderr}"
    return done.stdout + done.stderr


def assert_true(command: str, shown: list[str], folder: Path) -> None:
    got = run(command, folder)
    lines = {plain(line) for line in got.splitlines()}
    for line in shown:
        assert plain(line) in lines, f"$ {command}\nshows {line!r}, but this comes:\n{got}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's files after three mornings, the last always as long ago: on that the widths of columns hang."""
    folder = tmp_path_factory.mktemp("demo")
    last = datetime.now(UTC) - timedelta(minutes=20)
    mornings = tuple(last - timedelta(days=back) for back in (2, 1, 0))
    with (
        serve_world(seed("world"), mornings=mornings) as world,
        watching(Watch(console=lambda alert: None)),
    ):
        config = load_config(world.write_config(folder))
        for world.morning in (1, 2, 3, 3):
            run_steps(config, everything=True, now=world.now)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def helps() -> list[tuple[str, str]]:
    found = []
    for name in COMMANDS:
        one = cli.get_command(click.Context(cli), name)  # type: ignore[attr-defined]
        found += [(name, one.help), *((f"{name} {sub}", c.help) for sub, c in getattr(one, "commands", {}).items())]
    return [(words, text) for words, text in found if words not in ELSEWHERE]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "text"), helps(), ids=[words for words, _ in helps()])
def test_the_example_of_a_command_is_what_comes(words: str, text: str, told: Path, tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(told, folder)
    if words == "feeds import":
        run("deal-monitor feeds export > subscriptions.opml", folder)
    found = examples(text.partition("Example:")[2])
    assert found, words
    for command, shown in found:
        assert_true(command, shown, folder)


@pytest.mark.slow
def test_what_the_readme_shows_is_what_comes(tmp_path: Path) -> None:
    elsewhere = r"\b(poll|serve|demo)$|init deals$"  # of the web, without an end, or with questions
    found = [(command, shown) for command, shown in examples(README) if not re.search(elsewhere, command)]
    assert len(found) >= 3
    for command, shown in found:
        if "{" in "".join(shown):  # JSON, wrapped in the README
            got = re.sub(r"\s+", "", run(command, tmp_path))
            assert re.sub(r"\s+", "", "".join(shown)) in got, f"$ {command}\n{got}"
        else:
            assert_true(command, shown, tmp_path)


def test_an_example_that_is_not_true_would_be_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="but this comes"):
        assert_true("echo three", ["two"], tmp_path)
