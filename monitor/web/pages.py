"""Every page as HTML: what it shows is gathered here, how it looks is in `templates/`. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from monitor.alerts.words import LABEL
from monitor.config import Config, FeedConfig
from monitor.desk import labels
from monitor.models import Delivery, Event, FeedState, stable_key
from monitor.pipeline import health
from monitor.pipeline.settings import manners
from monitor.report import codes
from monitor.schedule import health as how
from monitor.store import Store
from monitor.web.life import Life, life_of
from monitor.web.links import Links
from monitor.web.network import Network, network
from monitor.web.search import Query, party, search
from monitor.web.snapshot import Snapshot
from monitor.web.volumes import volumes
from monitor.web.words import MENU, count, environment, plural

DAYS = 30  # of deliveries on the page of alerts
ROWS = 300  # deliveries or companies on a page
CHANGES = 200  # in a feed
DEALS = 50  # of one company on its page
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Pages:
    """The pages at one moment. Each answers HTML; `event` answers None where there is no such deal."""

    config: Config
    store: Store
    snapshot: Snapshot
    links: Links
    now: datetime
    more: dict[str, Any] = field(default_factory=dict)  # what every template is told besides
    policy: str = ""  # Content-Security-Policy of pages that no server sends
    read_only: bool = False
    troubles: Callable[[], list[str]] = list

    def render(self, template: str, here: str, **values: Any) -> str:
        """A template with what all of them want to know."""
        made = environment(self.config.zone)
        common: dict[str, Any] = {
            "links": self.links, "menu": [m for m in MENU if self.links.live or m[0] != "explain"], "here": here,
            "now": self.now, "zone": self.config.time_zone, "policy": self.policy, "read_only": self.read_only,
            "csrf": "", "notice": "", "notice_kind": "", "signed_in": False,
        }  # fmt: skip
        return made.get_template(template).render({**common, **self.more, **values})

    def events(self, query: Query, size: int = 50, left_out: int = 0) -> str:
        """The list of deals."""
        found = search(self.snapshot, query, self.now, self.config.zone, size)
        return self.render(
            "events.html", "events",
            query=query, found=found, events=self.records(found.rows), today=self._today(), known=self._known(),
            troubles=self.troubles(), left_out=left_out,
        )  # fmt: skip

    def event(self, event_id: str) -> str | None:
        """One deal's life; None if no deal has this id."""
        life = life_of(self.store, event_id, [c.name for c in self.config.channels])
        return self.life(life) if life else None

    def life(self, life: Life) -> str:
        """One deal's life, as it was read."""
        theirs = codes(life.event)
        told = (f"Capital IQ {theirs.capital_iq}" if theirs.capital_iq else "", f"Zephyr {theirs.zephyr}", theirs.core)
        return self.render(
            "event_live.html" if self.links.live and not self.read_only else "event.html", "events",
            event=life.event, life=life, labelled=self._labelled(life),
            codes=", ".join(filter(None, told)), mutes=self.mutes(life.event),
        )  # fmt: skip

    def companies(self) -> str:
        """All companies that are party to a deal."""
        rows = self.snapshot.once("companies", self._companies)
        known = {row["name"] for row in rows}
        silent = [c.name for c in self.config.watchlist if c.name not in known]
        return self.render(
            "companies.html", "companies", rows=rows[:ROWS], more=max(0, len(rows) - ROWS), silent=silent[:20]
        )

    def company(self, name: str) -> str | None:
        """One company; None if it is neither watched nor party to a deal."""
        deals = self.snapshot.deals.filter(party(name))
        watched = next((c for c in self.config.watchlist if c.name.casefold() == name.casefold()), None)
        if not deals.height and watched is None:
            return None
        events = self.records(deals.head(DEALS))
        others = Counter(p for parties in deals["parties"].to_list() for p in parties if p.lower() != name.lower())
        spelt = next((p for e in events for p in e.parties if p.lower() == name.lower()), name)
        history = self.snapshot.history.join(deals.select("event_id"), on="event_id", how="semi")
        return self.render(
            "company.html", "companies",
            name=watched.name if watched else spelt, company=watched, events=events, total=deals.height,
            more=max(0, deals.height - DEALS), partners=others.most_common(30),
            drawn=volumes(history, self.config.zone),
            statuses=sorted(Counter(deals["status"].to_list()).items(), key=lambda item: -item[1]),
            mutes=[m for m in map(_mute_words, self.config.mutes) if name.casefold() in m.casefold()],
        )  # fmt: skip

    def graph(self, day: date | None = None, company: str = "") -> str:
        """Who deals with whom, or with one company, as known on a day."""
        net = self.snapshot.once(f"network {company}", lambda: self._network(company))
        first, last = net.days or (self.now.date(), self.now.date())
        day = min(max(day or last, first), last)
        numbers = {"first": (first - EPOCH).days, "last": (last - EPOCH).days, "chosen": (day - EPOCH).days}
        return self.render("graph.html", "graph", net=net, day=day, company=company, **numbers)

    def _network(self, company: str) -> Network:
        return network(self.snapshot, self.snapshot.deals.filter(party(company)) if company else None)

    def volumes(self) -> str:
        """How much happened when."""
        standing = self.snapshot.deals.group_by("deal_type", "status").len()
        return self.render(
            "volumes.html", "volumes",
            drawn=volumes(self.snapshot.history, self.config.zone),
            standing={(kind, status): number for kind, status, number in standing.iter_rows()},
        )  # fmt: skip

    def feeds(self) -> str:
        """How the feeds do."""
        states: dict[int, FeedState] = self.store.rows("feeds", [stable_key(f.url) for f in self.config.feeds])
        rows = [self._feed(feed, states.get(stable_key(feed.url))) for feed in self.config.feeds]
        order = {"failing": 0, "gone": 0, "silent": 1, "overflowed": 1, "moved": 1, "paused": 1}
        return self.render(
            "feeds.html", "feeds",
            rows=sorted(rows, key=lambda row: (order.get(row["word"], 2), row["title"] or row["url"])),
            words=Counter(row["word"] for row in rows).most_common(),
            polled_at=max((state.polled_at for state in states.values()), default=None),
            health=health.look(self.config, self.store, self.now),
        )  # fmt: skip

    def alerts(self, channel: str = "", state: str = "") -> str:
        """What was sent where."""
        rows = self.store.latest("deliveries").filter(pl.col("at") >= self.now - timedelta(days=DAYS))
        rows = rows.filter(pl.col("channel") == channel) if channel else rows
        rows = rows.filter(pl.col("state") == state if state else pl.col("state") != "skipped")
        frame = rows.sort("at", descending=True).collect()
        found: tuple[Delivery, ...] = self.store.load("deliveries", frame.head(ROWS))
        events = self._versions(found)
        return self.render(
            "alerts_live.html" if self.links.live else "alerts.html", "alerts",
            rows=[(row, events.get((row.event_id, row.version))) for row in found], days=DAYS,
            more=max(0, frame.height - ROWS), channels=[c.name for c in self.config.channels], channel=channel,
            state=state, muted=self.config.mutes, linked=set(self.snapshot.deals["event_id"].to_list()),
        )  # fmt: skip

    def gone(self, title: str, what: str) -> str:
        """A page that says why there is none."""
        return self.render("gone.html", "", title=title, what=what)

    def records(self, rows: pl.DataFrame) -> tuple[Event, ...]:
        """Rows of the snapshot as records."""
        return self.snapshot.records(self.store, rows)

    def changes(self, rows: pl.DataFrame) -> tuple[Event, ...]:
        """The newest changes to these deals, where `records` has how they stand."""
        ids = rows["event_id"].to_list()
        newest = self.store.scan("events").filter(pl.col("event_id").is_in(ids), pl.col("change").is_not_null())
        found: tuple[Event, ...] = self.store.load("events", newest.sort("changed_at", descending=True).head(CHANGES))
        return found

    def mutes(self, event: Event) -> list[str]:
        """What keeps a deal from raising alerts, as far as the deal itself tells."""
        held = {"company": set(event.parties), "pair": set(event.parties), "event": {event.event_id}}
        today = self.now.astimezone(self.config.zone).date()
        return [
            _mute_words(mute)
            for mute in self.config.mutes
            if (mute.until is None or mute.until >= today) and held.get(mute.kind, set()).issuperset(mute.names)
        ]

    def _labelled(self, life: Life) -> list[str]:
        """What the deal's articles are labelled as, in words."""
        known = labels.known(self.config.folder, {claim.article_id for claim in life.claims})
        words = Counter("no deal" if row["status"] == "none" else f"{row['status']}" for row in known)
        return [f"{count(number, 'article')} {word}" for word, number in words.items()]

    def _today(self) -> list[tuple[str, int]]:
        """The changes of the last 24 hours, in words."""
        rows = self.snapshot.history.filter(
            pl.col("changed_at") >= self.now - timedelta(days=1), pl.col("change").is_not_null(), ~pl.col("baseline")
        )
        counts: Counter[str] = Counter()
        for change, status, number in rows.group_by("change", "status").len().iter_rows():
            word = ("new rumour" if status == "rumour" else "new deal") if change == "new" else LABEL[change].lower()
            counts[word] += number
        return sorted(((plural(word, n), n) for word, n in counts.items()), key=lambda item: (-item[1], item[0]))

    def _known(self) -> list[str]:
        """Names for the field that asks for a company: those watched, then the busiest."""
        busy = self.snapshot.deals["parties"].explode(empty_as_null=True).drop_nulls().value_counts(sort=True).head(200)
        return list(dict.fromkeys([*(c.name for c in self.config.watchlist), *busy["parties"].to_list()]))[:300]

    def _companies(self) -> list[dict[str, Any]]:
        partners: dict[str, Counter[str]] = {}
        found: dict[str, dict[str, Any]] = {}
        watched = {c.name for c in self.config.watchlist}
        columns = self.snapshot.deals.select("parties", "status", "changed_at")
        for parties, status, changed_at in columns.iter_rows():  # newest first
            for name in parties:
                row = found.setdefault(
                    name, {"name": name, "deals": 0, "rumours": 0, "changed_at": changed_at, "watched": name in watched}
                )
                row["deals"] += 1
                row["rumours"] += status == "rumour"
                partners.setdefault(name, Counter()).update(p for p in parties if p != name)
        for name, row in found.items():
            row["partners"] = [partner for partner, _ in partners[name].most_common(3)]
        return sorted(found.values(), key=lambda row: (not row["watched"], -row["deals"], row["name"]))

    def _feed(self, feed: FeedConfig, state: FeedState | None) -> dict[str, Any]:
        word, why = how(state, self.now, manners(self.config)) if state else ("new", "not asked yet")
        return {
            "url": feed.url, "title": feed.title or (state.title if state else ""),
            "word": word if feed.enabled else "off", "why": why, "polled_at": state and state.polled_at,
            "next_due": state and state.next_due, "news_at": state and state.news_at,
        }  # fmt: skip

    def _versions(self, rows: tuple[Delivery, ...]) -> dict[tuple[str, int], Event]:
        ids = list({row.event_id for row in rows})
        found: tuple[Event, ...] = self.store.load(
            "events", self.store.scan("events").filter(pl.col("event_id").is_in(ids))
        )
        return {(event.event_id, event.version): event for event in found}


def _mute_words(mute: Any) -> str:
    until = f" until {mute.until}" if mute.until else ""
    why = f" ({mute.why})" if mute.why else ""
    return f"{mute.kind} {' and '.join(mute.names)} muted{until}{why}"
