"""A small site on loopback and a monitor that watches it: where tests of pipeline and commands start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from monitor.config import load_config
from monitor.models import Alert
from monitor.pipeline import STEPS, RunReport, Watch, open_run, watching
from tests.servers import LoopbackServer, answer, conditional

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
MORE = " ".join(
    "Shares rose a little in early trading, and the weather in the harbour towns stayed mild for the season."
    for _ in "xxxx"
)
DEAL = "Meta and Midjourney sign a licensing deal"
NOISE = "The harbour museum opens a new wing for model ships"


def item(number: int, title: str, link: str, *, guid: str = "", date: str = "Mon, 02 Mar 2026 05:00:00 GMT") -> str:
    """One item of an RSS feed."""
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    return (
        f"<item><title>{escape(title)}</title><link>{escape(link)}</link>{dated}"
        f"<guid isPermaLink='false'>{guid or number}</guid><description>{escape(title)}.</description></item>"
    )


def rss(items: Iterable[str]) -> bytes:
    return f"<rss version='2.0'><channel><title>Test</title>{''.join(items)}</channel></rss>".encode()


def page(title: str, text: str = MORE) -> bytes:
    return (
        f"<html><head><title>{escape(title)}</title></head><body><nav><a href='/'>Home</a></nav><article>"
        f"<h1>{escape(title)}</h1><p>{escape(title)}, the companies said on Monday.</p><p>{escape(text)}</p>"
        "</article></body></html>"
    ).encode()


@dataclass(slots=True)
class Desk:
    """A monitor's files in a folder, its runs, and the alerts that came to its console."""

    folder: Path
    alerts: list[Alert] = field(default_factory=list)

    def write(
        self, feeds: Sequence[str], *, companies: Sequence[str] = ("Meta",), settings: str = "", channels: str = ""
    ) -> Path:
        """monitor.toml, feeds.toml, watchlist.toml. By default a first poll alerts, so that tests are short."""
        settings = settings if "first_poll" in settings else 'first_poll = "alert"\n' + settings
        text = f"{settings}\n[fetch]\nallow_hosts = ['127.0.0.0/8']\n[run]\nworkers = 1\n{channels}"
        (self.folder / "monitor.toml").write_text(text, encoding="utf-8")
        listed = "".join(f'[[feeds]]\nurl = "{url}"\n' for url in feeds)
        (self.folder / "feeds.toml").write_text(listed, encoding="utf-8")
        watched = "".join(f'[[companies]]\nname = "{name}"\n' for name in companies)
        (self.folder / "watchlist.toml").write_text(watched, encoding="utf-8")
        return self.folder / "monitor.toml"

    def poll(self, after: timedelta = timedelta(), *, everything: bool = True) -> RunReport:
        """One run of all steps at NOW + after."""
        config = load_config(self.folder)
        with (
            watching(Watch(console=self.alerts.append)),
            open_run(config, now=NOW + after, everything=everything) as run,
        ):
            for step in STEPS:
                step(run)
        return run.report

    @property
    def subjects(self) -> list[str]:
        return [alert.subject for alert in self.alerts]


def serve_feed(server: LoopbackServer, path: str, items: Iterable[str], etag: str = '"1"') -> str:
    """A feed with an ETag that answers 304."""
    body = rss(items)
    return server.on(path, conditional(body, etag=etag, headers={"Content-Type": "application/rss+xml"}))


def serve_page(server: LoopbackServer, path: str, title: str, text: str = MORE) -> str:
    return server.on(path, answer(page(title, text), headers={"Content-Type": "text/html; charset=utf-8"}))
