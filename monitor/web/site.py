"""What the live page knows between two requests, and what it learns from one: the user's files and tables, forms."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from monitor.claims import Reader
from monitor.config import Config, load_config
from monitor.desk import articles
from monitor.errors import ConfigError
from monitor.pipeline import health
from monitor.store import Store, open_store
from monitor.web.guard import Rules
from monitor.web.links import Served
from monitor.web.pages import Pages
from monitor.web.snapshot import Snapshots

LONGEST = 900_000  # bytes of a form: an article's text in any script, and some room
LOOK_AGAIN = 60.0  # seconds for which the answer to "is all well?" counts


class Site:
    """What the page knows between two requests: the user's files as they are now, and the tables."""

    def __init__(self, file: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file, self._clock = file, clock
        self._stamp: tuple[object, ...] = ()
        self._looked: tuple[float, list[str]] = (float("-inf"), [])
        self.wrong = ""  # what is wrong with the files since they were changed
        self.config: Config = load_config(file)
        self.store: Store = open_store(self.config.state)
        self.snapshots = Snapshots(self.store)
        self.refresh()

    @property
    def now(self) -> datetime:
        return self._clock()

    @cached_property
    def reader(self) -> Reader:
        """Reads articles by the rules and companies as they are now; takes a second to make."""
        return articles.reader(self.config)

    def refresh(self) -> None:
        """Read the user's files again if one has changed. While one is wrong, the last good ones count."""
        stamp = tuple((f.name, f.stat().st_mtime_ns) for f in sorted(self._file.parent.glob("*.toml")))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.config, self.wrong = load_config(self._file), ""
            self.__dict__.pop("reader", None)
        except ConfigError as error:
            self.wrong = str(error)

    def troubles(self) -> list[str]:
        """What a person should look at; asked of the tables once a minute."""
        at, found = self._looked
        if time.monotonic() - at > LOOK_AGAIN:
            found = health.look(self.config, self.store, self.now).troubles
            self._looked = (time.monotonic(), found)
        return [self.wrong, *found] if self.wrong else found


class Desk:
    """One site, its rules, and what may be written at once."""

    def __init__(self, site: Site, rules: Rules, read_only: bool) -> None:
        self.site, self.rules, self.read_only = site, rules, read_only
        self.writing = Lock()

    def pages(self, request: Request, **more: Any) -> Pages:
        """The pages at this moment, for this reader."""
        site = self.site
        site.refresh()
        common = {"csrf": self.rules.csrf, "signed_in": bool(self.rules.token), **more}
        return Pages(
            config=site.config, store=site.store, snapshot=site.snapshots.newest(), links=Served(), now=site.now,
            more=common, read_only=self.read_only, troubles=site.troubles,
        )  # fmt: skip


async def fields(request: Request) -> Mapping[str, str]:
    """The fields of a form as browsers send it; what is too long, or no form, is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return {}
    text = body.decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=50).items()}
