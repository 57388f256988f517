"""How fast the page is with many deals: `python -m tests.benchmarks.bench_page [deals]`.

Makes a state with that many deals in a temporary folder and asks each page of the app in this process a few times.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from monitor.models import DEAL_TYPES, Claim, Event, stable_key
from monitor.store import Store
from monitor.web.app import make_app
from monitor.web.guard import Rules
from tests.webs import desk, state

NOW = datetime.now(UTC).replace(microsecond=0)
STATUSES = ("rumour", "rumour", "announced", "announced", "completed", "denied", "terminated", "expired")
FIRST = "Vel Or Quib Sor Dra Kes Lum Cas Bri Ter Pel Nord Mor Ald Hel Tess Orr Cop Har Led".split()
LAST = "mont rin marque tellane ghtmere wick vinder moor ianthe aly inta per bour ger dix vane".split()


def companies(count: int, pick: random.Random) -> list[str]:
    names = [f"{a}{b}" for a in FIRST for b in LAST]
    return [
        f"{pick.choice(names)} {kind}"
        for kind in ("Group", "Systems", "Bio", "Energy", "Labs")
        for _ in range(count // 5)
    ]


def fill(store: Store, count: int, seed: int = 7) -> None:
    """Deals of two years: a third has a second version; each version has one claim."""
    pick = random.Random(seed)
    names = companies(count // 20 + 50, pick)
    busy = ["Vela", *names[:40]]
    for start in range(0, count, 20_000):
        events: list[Event] = []
        claims: list[Claim] = []
        for number in range(start, min(start + 20_000, count)):
            for event, claim in _deal(number, names, busy, pick):
                events.append(event)
                claims.append(claim)
        store.append("events", events)
        store.append("claims", claims)
    for name in ("events", "claims"):
        store.compact(name, everything=True)


def _deal(number: int, names: list[str], busy: list[str], pick: random.Random) -> list[tuple[Event, Claim]]:
    parties = (pick.choice(busy if number % 3 else names), pick.choice(names))
    kind, value = DEAL_TYPES[number % 6], f"${pick.randint(1, 900)} million" if number % 2 else ""
    at = NOW - timedelta(hours=pick.random() * 24 * 730)
    found = []
    for version in range(1, 3 if number % 3 == 0 else 2):
        key = stable_key("bench", str(number), str(version))
        status = pick.choice(STATUSES) if version > 1 else STATUSES[number % 4]
        title = f"{parties[0]} and {parties[1]} agree on {kind.replace('_', ' ')} {number}"
        text = f"{parties[0]} said on Monday that it had agreed with {parties[1]} on terms worth {value or 'little'}."
        when = min(at + timedelta(days=9 * (version - 1)), NOW)
        event = Event(
            event_id=f"{stable_key('bench', str(number)):016x}", version=version, parties=parties, deal_type=kind,
            status=status, changed_at=when, watched=("Vela",) if "Vela" in parties else (),
            change="new" if version == 1 else "updated", value=value, title=title, evidence=text, outlet="Harbour Wire",
            outlets=("Harbour Wire", "Morrow Daily"), url=f"https://news.example/{key}", claim_keys=(key,),
            folded=(key,), claim_count=version, first_seen=at, last_claim=when,
        )  # fmt: skip
        claim = Claim(
            claim_key=key, article_id=f"{key:016x}", parties=parties, deal_type=kind, status=status, evidence=text,
            title=title, url=event.url, outlet="Harbour Wire", published=when, read_at=when, value=value,
        )  # fmt: skip
        found.append((event, claim))
    return found


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, store = desk(Path(folder)), state(Path(folder))
        begun = time.perf_counter()
        fill(store, count)
        print(f"{count} deals written in {time.perf_counter() - begun:.1f} s")
        client = TestClient(make_app(file, Rules()), base_url="http://127.0.0.1")
        some = f"{stable_key('bench', str(count // 2)):016x}"
        for path in (
            "/events", "/events?q=labs+energy", "/events?q=agree+million", "/events?company=Vela&status=rumour",
            "/events?type=licensing&since=30d", "/events?page=900", f"/events/{some}", "/companies", "/companies/Vela",
            "/graph", "/volumes", "/feeds", "/alerts",
        ):  # fmt: skip
            taken = []
            for _ in range(4):
                begun = time.perf_counter()
                assert client.get(path).status_code == 200, path
                taken.append((time.perf_counter() - begun) * 1000)
            print(f"{path:45} first {taken[0]:7.0f} ms, then {sorted(taken[1:])[1]:6.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
