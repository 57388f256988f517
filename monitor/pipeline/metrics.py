"""Figures for Prometheus, in its text format: written to a file after each run, printed by `deal-monitor metrics`.

All come from the tables, so that every process says the same; only the seconds per stage are those of the last run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from monitor.pipeline.health import Health
from monitor.pipeline.report import RunReport

PREFIX = "deal_monitor_"


def exposition(health: Health, report: RunReport | None = None) -> str:
    """All figures. Names end in their unit; labels are few words of ours, never a stranger's."""
    lines = [
        *_by("feeds", "Feeds by how they do.", "health", health.feeds),
        *_by("feeds_failing", "Failing feeds by kind of failure.", "kind", health.outcomes),
        *_one("feeds_late", "Feeds that are due for more than three intervals.", health.feeds_late),
        *_one("last_poll_seconds", "Seconds since any feed was asked.", health.last_poll_seconds),
        *_one("entries_day", "Entries of the last 24 hours.", health.entries_day),
        *_by("articles_day", "Articles of the last 24 hours by how they were read.", "state", health.articles_day),
        *_one("claims_day", "Claims of the last 24 hours.", health.claims_day),
        *_by("changes_day", "Changes of the last 24 hours by kind.", "change", health.changes_day),
        *_by("deliveries_day", "Deliveries of the last 24 hours by state.", "state", health.deliveries_day),
        *_one("pages_waiting", "Pages that could not be had yet.", health.pages_waiting),
        *_one("alerts_queued", "Alerts that failed and are sent again.", health.queued),
        *_one("alerts_dead", "Alerts that were given up.", health.dead),
    ]
    if report is not None:
        lines += _by("run_seconds", "Seconds of the last run by stage.", "stage", report.seconds)
        lines += _one("run_started", "Unix time at which the last run began.", report.started_at.timestamp())
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Beside and renamed, so that a scrape never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _one(name: str, help_: str, value: float | None) -> Iterator[str]:
    if value is not None:
        yield from _head(name, help_)
        yield f"{PREFIX}{name} {value:g}"


def _by(name: str, help_: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield from _head(name, help_)
    for word, value in sorted(values.items()):
        yield f'{PREFIX}{name}{{{label}="{_escaped(word)}"}} {value:g}'


def _head(name: str, help_: str) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {help_}"
    yield f"# TYPE {PREFIX}{name} gauge"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
