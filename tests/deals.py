"""Short hands for tests about deals: claims and events out of a few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from monitor.events import FoldSettings, fold
from monitor.models import Claim, Event

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = START + timedelta(days=1000)
SETTINGS = FoldSettings()
_numbers = count(1)


def on(day: float) -> datetime:
    """So many days after the start of the tests' time."""
    return START + timedelta(days=day)


def claim(parties: str, deal_type: str = "partnership", status: str = "rumour", day: float = 0, **more: Any) -> Claim:
    """`parties` are names with roles: "Vela:acquirer, Orm:target"; `day` is when the article was published."""
    named = [part.strip().partition(":") for part in parties.split(",")]
    roles = tuple(role for _, _, role in named)
    number = more.pop("number", None) or next(_numbers)
    values: dict[str, Any] = {
        "claim_key": number,
        "article_id": f"{number:016x}",
        "parties": tuple(name for name, _, _ in named),
        "roles": roles if any(roles) else (),
        "deal_type": deal_type,
        "status": status,
        "outlet": f"Outlet {number}",
        "title": f"Headline {number}",
        "evidence": f"Sentence number {number}.",
        "url": f"https://news.example/{number}",
        "published": on(day),
        "read_at": on(day),
    }
    return Claim(**values | more)


def report(parties: str, origin: str, **more: Any) -> Claim:
    """A rumour that names who first reported it."""
    return claim(parties, sourcing="named_report", origin=origin, **more)


def told(*claims: Claim, settings: FoldSettings = SETTINGS) -> list[Event]:
    """All versions after the claims in this order."""
    return fold((), claims, NOW, settings)


def latest(versions: list[Event]) -> dict[str, Event]:
    """The newest version of each deal."""
    return {event.event_id: event for event in versions}


def changes(versions: list[Event]) -> list[str]:
    """The changes in order, mere sightings left out."""
    return [event.change for event in versions if event.change]
