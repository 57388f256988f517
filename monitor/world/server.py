"""The demo's web site on loopback: aiohttp in a thread of its own, with validators, 304 and a log of every request.

Knows HTTP, not what the articles say. The log is there so that tests can prove that no body is read twice.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from aiohttp import web

from monitor.world.render import CONTENT_TYPES, page_path, render_feed, render_page
from monitor.world.script import FeedSpec, Piece, Script, load_script

START_SECONDS = 30.0
GONE = b"<!DOCTYPE html><html><head><title>Not found</title></head><body><h1>404: this page is gone</h1></body></html>"
MOVED_ON = b"""<!DOCTYPE html><html><head><title>Old Harbour Gazette</title></head><body><h1>Old Harbour Gazette</h1>
<p>We have a new look! Our feeds have moved, we have just forgotten where to.</p></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request as it was answered."""

    morning: int
    path: str  # with its query
    status: int
    sent: int  # bytes of body on the wire
    version: str  # of the body that the address has now, whether it was sent or not
    conditional: bool  # asked with If-None-Match or If-Modified-Since
    user_agent: str = ""


@dataclass(slots=True)
class World:
    """The site while it runs. Set `morning` (from 1) to let days pass."""

    script: Script
    url: str = ""  # "http://127.0.0.1:PORT"
    morning: int = 1
    hits: list[Hit] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """The moment of this morning's poll."""
        return self.script.mornings[self.morning - 1]

    def read_twice(self) -> list[str]:
        """Addresses whose same body was sent more than once: a well-behaved reader leaves this empty."""
        sent = Counter((hit.path, hit.version) for hit in self.hits if hit.status == 200)
        return sorted(path for (path, _), times in sent.items() if times > 1)

    def write_config(self, folder: Path) -> Path:
        """Settings for this site in `folder`: monitor.toml, feeds.toml, watchlist.toml. Answers monitor.toml's path."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("monitor.toml", "watchlist.toml"):
            shutil.copyfile(self.script.folder / name, folder / name)
        rows = "".join(
            f"\n[[feeds]]\nurl = {json.dumps(self.url + feed.path)}\ntitle = {json.dumps(feed.title)}\n"
            for feed in self.script.feeds
        )
        (folder / "feeds.toml").write_text(f"# The feeds of the demo's own site.\n{rows}", encoding="utf-8")
        return folder / "monitor.toml"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any address of the site, as of this morning."""
        feed = next((f for f in self.script.feeds if f.path == request.path), None)
        if feed is not None:
            return self._answer_feed(request, feed)
        for piece in self.script.articles:
            if piece.morning <= self.morning and page_path(self.script, piece) == request.path:
                return self._answer_page(request, piece.on(self.morning))
        return self._log(request, web.Response(status=404, body=GONE, content_type="text/html"), "")

    def _answer_feed(self, request: web.Request, feed: FeedSpec) -> web.StreamResponse:
        if feed.broken == "missing":
            return self._log(request, web.Response(status=404, body=GONE, content_type="text/html"), "")
        if feed.broken == "html":
            return self._send(request, MOVED_ON, "text/html; charset=utf-8", self.script.mornings[0], "etag")
        pieces = self.script.carried(feed, self.morning)
        body = render_feed(self.script, feed, pieces, self.url)
        changed = max(self._changed(p) for p in pieces) if pieces else self.script.mornings[0]
        return self._send(request, body, CONTENT_TYPES[feed.format], changed, feed.validators)

    def _answer_page(self, request: web.Request, piece: Piece) -> web.StreamResponse:
        if piece.page == "missing":
            return self._log(request, web.Response(status=404, body=GONE, content_type="text/html"), "")
        body = render_page(self.script, piece, self.url)
        return self._send(request, body, "text/html; charset=utf-8", self._changed(piece), "both")

    def _changed(self, piece: Piece) -> datetime:
        """When the article was last touched: published, or revised at the dawn of a later morning."""
        if piece.revised is not None and piece.revised.morning <= self.morning:
            return self.script.mornings[piece.revised.morning - 1]
        return self.script.published(piece)

    def _send(
        self, request: web.Request, body: bytes, content_type: str, changed: datetime, validators: str
    ) -> web.StreamResponse:
        version = hashlib.blake2b(body, digest_size=8).hexdigest()
        etag = f'W/"{version}"'  # weak: gzip or not, it is the same text
        headers = {"Vary": "Accept-Encoding", "Cache-Control": "max-age=60"}
        if validators in ("etag", "both"):
            headers["ETag"] = etag
        if validators in ("modified", "both"):
            headers["Last-Modified"] = format_datetime(changed, usegmt=True)
        if _fresh(request, headers.get("ETag", ""), changed if "Last-Modified" in headers else None):
            return self._log(request, web.Response(status=304, headers=headers), version)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Type"] = content_type
        return self._log(request, web.Response(body=body, headers=headers), version)

    def _log(self, request: web.Request, response: web.Response, version: str) -> web.StreamResponse:
        body = response.body if isinstance(response.body, bytes) else b""
        self.hits.append(
            Hit(
                morning=self.morning,
                path=request.path_qs,
                status=response.status,
                sent=len(body),
                version=version,
                conditional="If-None-Match" in request.headers or "If-Modified-Since" in request.headers,
                user_agent=request.headers.get("User-Agent", ""),
            )
        )
        return response


def _fresh(request: web.Request, etag: str, changed: datetime | None) -> bool:
    """RFC 9110, section 13.2.2: If-None-Match counts alone where it is given."""
    asked = request.headers.get("If-None-Match")
    if asked is not None:
        return bool(etag) and (asked.strip() == "*" or etag in [tag.strip() for tag in asked.split(",")])
    since = request.headers.get("If-Modified-Since")
    if since is None or changed is None:
        return False
    try:
        return changed.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # not a date, or one without a zone
        return False


@contextmanager
def serve_world(
    folder: Path, *, morning: int = 1, mornings: tuple[datetime, ...] | None = None, port: int = 0
) -> Iterator[World]:
    """The world in `folder` (`seeds/world`) on 127.0.0.1 until the block ends. Raises ConfigError for a wrong file.

    `mornings`, UTC, in place of those that world.toml names: e.g. to end today. `port` 0 takes a free one.
    """
    world = World(script=load_script(folder, mornings), morning=morning)
    loop = asyncio.new_event_loop()
    started = threading.Event()
    failed: list[OSError] = []

    async def start() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", world.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        world.url = "http://{}:{}".format(*runner.addresses[0][:2])
        runners.append(runner)

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(start())
        except OSError as error:  # the port is taken
            failed.append(error)
            return
        finally:
            started.set()
        loop.run_forever()
        loop.run_until_complete(runners[0].cleanup())

    runners: list[web.AppRunner] = []
    thread = threading.Thread(target=run, name="world", daemon=True)
    thread.start()
    started.wait(START_SECONDS)
    if failed:
        raise failed[0]
    try:
        yield world
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)
        loop.close()
