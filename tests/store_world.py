"""Records and small helpers for the tests of the store. Knows nothing of how the store works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.models import Article, Claim, Delivery, Entry, Event, FeedState, stable_key

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BIG = 2**64 - 1


def event(number: int, version: int = 1, **more: Any) -> Event:
    """Event `number`; its lookups are `number` and `1000000 + number`."""
    values: dict[str, Any] = {
        "event_id": f"{number:016x}",
        "version": version,
        "parties": ("Meta", f"Party {number}"),
        "deal_type": "partnership",
        "status": "rumour",
        "changed_at": NOON + timedelta(seconds=number),
        "claim_keys": (number, BIG - number),
        "evidence": f"Meta and Party {number} are in talks.",
        "lookup": (number, 1_000_000 + number),
    }
    return Event(**values | more)


def event_id(number: int) -> str:
    return f"{number:016x}"


def feed(number: int, at: datetime = NOON, **more: Any) -> FeedState:
    return FeedState(feed_key=stable_key(str(number)), url=f"https://example.org/{number}", polled_at=at, **more)


def entry(number: int, at: datetime = NOON, **more: Any) -> Entry:
    values: dict[str, Any] = {"title": f"Entry {number}", "url": f"https://example.org/{number}"}
    return Entry(entry_key=stable_key("entry", str(number)), feed_key=1, feed_url="f", first_seen=at, **values | more)


def article(number: int, at: datetime | None = NOON, **more: Any) -> Article:
    return Article(article_id=f"{number:016x}", title=f"Article {number}", text="word " * 600, read_at=at, **more)


def claim(number: int, at: datetime = NOON, **more: Any) -> Claim:
    return Claim(
        claim_key=stable_key("claim", str(number)), article_id=f"{number:016x}", parties=("Meta", "Google"),
        deal_type="licensing", status="announced", read_at=at, **more,
    )  # fmt: skip


def delivery(number: int, at: datetime = NOON, **more: Any) -> Delivery:
    return Delivery(
        delivery_key=stable_key("desk", str(number)), channel="desk", event_id=event_id(number), version=1, at=at,
        state="sent", **more,
    )  # fmt: skip


def files(folder: Path, table: str = "events") -> list[str]:
    """Names of a table's files, temporary ones and set-aside ones included."""
    root = folder / table
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
