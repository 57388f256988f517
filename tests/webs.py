"""A monitor that knows some deals, and its page: where tests of the page start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from monitor.events import fold
from monitor.models import Article, Claim, Delivery, Event, stable_key
from monitor.store import Store, open_store
from monitor.web.app import Site, make_app
from monitor.web.guard import Rules
from tests.deals import SETTINGS, claim, on, report

NOW = on(12)
SETTINGS_FILE = 'state = "state"\ntime_zone = "Europe/Berlin"\n'
WATCHLIST = '[[companies]]\nname = "Vela"\naliases = ["Vela Group"]\n[[companies]]\nname = "Quietco"\n'


def desk(folder: Path, settings: str = "") -> Path:
    """The files of a desk that watches Vela and Quietco; answers monitor.toml."""
    (folder / "feeds.toml").write_text('[[feeds]]\nurl = "https://news.example/feed"\n', encoding="utf-8")
    (folder / "watchlist.toml").write_text(WATCHLIST, encoding="utf-8")
    (folder / "monitor.toml").write_text(SETTINGS_FILE + settings, encoding="utf-8")
    return folder / "monitor.toml"


def state(folder: Path) -> Store:
    return open_store(str(folder / "state"))


def learn(store: Store, claims: Iterable[Claim], now: datetime = NOW) -> list[Event]:
    """Store claims, the articles behind them and the deals that come of them."""
    claims = list(claims)
    events = fold((), claims, now, SETTINGS)
    articles = {
        c.article_id: Article(article_id=c.article_id, title=c.title, text=c.evidence, url=c.url, outlet=c.outlet,
                              read_at=c.read_at)
        for c in claims
    }  # fmt: skip
    store.append("articles", list(articles.values()))
    store.append("claims", claims)
    store.append("events", events)
    return events


def story() -> list[Claim]:
    """A rumour that two outlets tell differently, and a deal of other companies."""
    said = "Vela is in talks to buy Orm, The Ledger reported."
    return [
        report("Vela:acquirer, Orm:target", "The Ledger", deal_type="acquisition", day=1, value="$2 billion",
               title="Vela in talks to buy Orm", evidence=said, outlet="Harbour Wire", watched=("Vela",),
               spans=("0:4:party:Vela", "8:16:status:talks", "20:23:trigger:acquire", "24:27:party:Orm"),
               rules=("acquire", "talks"), feed_url="https://news.example/feed"),
        report("Vela:acquirer, Orm:target", "The Ledger", deal_type="acquisition", day=2, value="$3 billion",
               title="Vela near Orm deal", evidence="Vela is near a $3 billion deal for Orm.", outlet="Morrow Daily",
               watched=("Vela",)),
        claim("Quib, Sorrel", deal_type="partnership", status="announced", day=3, title="Quib and Sorrel team up",
              outlet="Harbour Wire"),
    ]  # fmt: skip


def delivered(event: Event, channel: str = "console", state: str = "sent", **more: Any) -> Delivery:
    key = stable_key(channel, event.event_id, str(event.version))
    row = Delivery(
        delivery_key=key, channel=channel, event_id=event.event_id, version=event.version, at=NOW, state=state
    )
    return replace(row, **more)


def browser(file: Path, rules: Rules | None = None, **more: Any) -> TestClient:
    """Somebody who asks the page as a browser of this machine does."""
    rules = rules or Rules()
    app = make_app(file, rules, site=Site(file, clock=lambda: NOW), **more)
    return TestClient(app, base_url="http://127.0.0.1:8420", follow_redirects=False)
