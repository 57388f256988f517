"""The command line on a terminal: mistakes told with the next step, tables that fit, colours, Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest

from tests.conftest import Command
from tests.pipelines import Desk

MISTAKES = [
    (["events", "--since", "soon"], 2, "write 7d, 12h, 30min"),
    (["events", "--type", "aquisition"], 2, "did you mean acquisition?"),
    (["events", "--status", "rumor"], 2, "did you mean rumour?"),
    (["events", "--limit", "-3"], 2, "not in the range"),
    (["events", "--company", "Midjurney"], 0, "did you mean Midjourney?"),
    (["events", "--type", "acquisition"], 0, "no deal fits; --since looks further back"),
    (["events", "0123"], 1, "`deal-monitor events` lists them"),
    (["explain", "0123"], 1, "`deal-monitor events` lists the deals"),
    (["explain", "http://10.0.0.1/x"], 1, "allow_hosts under [fetch]"),
    (["alerts", "--channel", "dsk"], 2, "there are: console"),
    (["alerts", "retry", "--channel", "dsk"], 2, "there are: console"),
    (["alerts", "preview", "0123"], 1, "`deal-monitor events` lists them"),
    (["export", "csv", "--out", "/proc/none/x.csv"], 1, "/proc/none/x.csv: No such file or directory; check"),
    (["export", "cvs"], 2, "'csv', 'jsonl'"),
    (["feeds", "add", "example.org"], 1, "only http:// and https:// URLs"),
    (["feeds", "remove", "zzz"], 1, "`deal-monitor feeds` lists them"),
    (["feeds", "import", "/etc/hosts"], 1, "export the list of your reader as OPML"),
    (["companies", "add", "Nvidea"], 1, "did you mean Nvidia?"),
    (["mute", "company", "Mta"], 0, "did you mean Meta?"),
    (["mute", "pair", "Meta"], 2, "wants two names"),
    (["mute", "company", "Meta", "--until", "2026-13-01"], 2, "write it as 2026-12-31"),
    (["digest", "--days", "1000"], 2, "not in the range"),
    (["copy", "/proc/none", "/proc/none2"], 1, "the folder that monitor.toml names as state"),
    (["replay", "--rules", "/proc/none"], 2, "give the path of a rule file"),
    (["detect", "/proc/none"], 2, "correct the path"),
    (["evaluate", "/proc/none", "--texts", "/proc/none"], 2, "does not exist"),
]


def test_every_mistake_is_told_with_the_next_step(command: Command, polled: Desk) -> None:
    for words, code, hint in MISTAKES:
        got, _, err = command("--config", polled.folder, *words)
        assert (got, hint in err) == (code, True), f"{words}: {err}"
        assert "Traceback" not in err


def test_without_a_terminal_there_is_no_colour(command: Command, polled: Desk) -> None:
    for words in (["events"], ["alerts"], ["feeds"], ["explain", "stdin"]):
        _, out, err = command("--config", polled.folder, *words)
        assert "\x1b" not in out + err, words


def on_terminal(words: list[str], columns: int, **more: str) -> str:
    """What a command writes to a terminal so wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor.cli", *words], stdin=slave, stdout=slave, stderr=slave, env=env
    )
    os.close(slave)
    seen = b""
    with suppress(OSError):  # how a terminal ends
        while piece := os.read(master, 4096):
            seen += piece
    os.close(master)
    assert process.wait(30) == 0, seen
    return seen.decode()


@pytest.mark.parametrize("columns", [80, 160])
def test_tables_fit_the_terminal_and_its_colours(columns: int, polled: Desk) -> None:
    words = ["--config", str(polled.folder), "events", "--since", "7d"]
    shown = on_terminal(words, columns)
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert "Midjourney" in plain
    assert max(map(len, plain.splitlines())) <= columns
    assert plain != shown, "colours on a terminal"
    colours = re.findall(r"\x1b\[3[1-7]", on_terminal(words, columns, NO_COLOR="1"))
    assert colours == []
