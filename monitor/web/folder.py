"""The pages as a folder of files that opens from disk: no server, no request to anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from monitor.config import Config
from monitor.errors import ConfigError
from monitor.store import Store
from monitor.web.life import lives_of
from monitor.web.links import Filed, asset, company_key
from monitor.web.pages import Pages
from monitor.web.search import Query
from monitor.web.snapshot import Snapshot, take

# `file:` lets a page that was opened from disk have the files beside it; on a server it opens nothing.
POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file:; base-uri 'none'"
BATCH = 500  # deals read at once
MARK = "written-by-deal-monitor"  # a folder that has it is ours to write again
Step = Callable[[int, int], None]


def write_folder(
    out: Path, config: Config, store: Store, now: datetime, limit: int, step: Step = lambda done, total: None
) -> tuple[int, int]:
    """Write all pages on the newest `limit` deals into `out`, which is made anew; how many of how many deals.

    Raises ConfigError for a folder that holds something else.
    """
    whole = take(store)
    shown = _newest(whole, limit)
    _make(out)
    pages = Pages(config=config, store=store, snapshot=shown, links=Filed(), now=now, policy=POLICY, read_only=True)
    left_out = whole.deals.height if whole.deals.height > shown.deals.height else 0
    _write(out / "index.html", pages.events(Query(), size=max(limit, 1), left_out=left_out))
    for name in ("companies", "graph", "volumes", "feeds", "alerts"):
        _write(out / f"{name}.html", getattr(pages, name)())
    below = replace(pages, links=Filed(1))
    ids = shown.deals["event_id"].to_list()
    parties = shown.deals["parties"].explode(empty_as_null=True).drop_nulls().to_list()
    names = sorted({*parties, *(c.name for c in config.watchlist)})
    for start in range(0, len(ids), BATCH):
        lives = lives_of(store, ids[start : start + BATCH], [c.name for c in config.channels])
        for number, (event_id, life) in enumerate(lives.items(), start + 1):
            _write(out / "events" / f"{event_id}.html", below.life(life))
            step(number, len(ids) + len(names))
    for number, name in enumerate(names, len(ids) + 1):
        _write(out / "companies" / f"{company_key(name)}.html", below.company(name) or "")
        step(number, len(ids) + len(names))
    return len(ids), whole.deals.height


def _make(out: Path) -> None:
    """The folder with what every page wants, and nothing of an earlier report."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()) and not (out / MARK).exists():
        raise ConfigError(
            str(out), "", "the folder holds something that no report wrote", "name an empty or a new folder"
        )
    (out / MARK).write_text("This folder is written anew by `deal-monitor report`.\n", encoding="utf-8")
    for name in ("events", "companies", "assets"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir()
    for name in ("page.css", "page.js", "icon.svg"):
        (out / "assets" / name).write_bytes(asset(name))


def _newest(whole: Snapshot, limit: int) -> Snapshot:
    deals = whole.deals.head(limit)
    history = whole.history.join(deals.select(pl.col("event_id")), on="event_id", how="semi")
    return replace(whole, deals=deals, history=history, memo={})


def _write(file: Path, html: str) -> None:
    file.write_text(html, encoding="utf-8")
