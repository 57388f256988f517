"""Changes as a feed for other readers: Atom (RFC 4287) and JSON Feed 1.1. Whole, or narrowed by company and type."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from monitor.alerts import render, subject
from monitor.alerts.escape import inert, safe_url
from monitor.models import Event
from monitor.report.tables import as_json

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ATOM = "http://www.w3.org/2005/Atom"


def choose(
    events: Iterable[Event], companies: Collection[str] = (), deal_types: Collection[str] = (), limit: int = 100
) -> list[Event]:
    """The newest changes, newest first; of these companies and types where given. Baseline and sightings stay out."""
    wanted = {name.casefold() for name in companies}
    found = [
        event
        for event in events
        if event.change
        and not event.baseline
        and not event.merged_into
        and (not wanted or wanted & {party.casefold() for party in (*event.parties, *event.watched)})
        and (not deal_types or event.deal_type in deal_types)
    ]
    return sorted(found, key=lambda event: (event.changed_at, event.version), reverse=True)[:limit]


def to_atom(events: Iterable[Event], title: str, feed_url: str = "", now: datetime | None = None) -> bytes:
    """An Atom document. `now` dates a feed without entries."""
    events = list(events)
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _add(feed, "title", inert(title))
    _add(feed, "id", feed_url or "urn:deal-monitor:changes")
    newest = max((event.changed_at for event in events), default=now or datetime(2000, 1, 1, tzinfo=UTC))
    _add(feed, "updated", _time(newest))
    _add(feed, "generator", "deal-monitor")
    if feed_url:
        _add(feed, "link", rel="self", href=feed_url)
    for event in events:
        _entry(feed, event)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def to_json_feed(events: Iterable[Event], title: str, feed_url: str = "") -> str:
    """A JSON Feed document; the whole row stands under `_deal_monitor`."""
    document: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": inert(title)}
    if feed_url:
        document["feed_url"] = feed_url
    document["items"] = [
        {
            "id": _id(event),
            "title": inert(subject(event)),
            "content_text": render(event, None, "text").body,
            "date_published": _time(event.changed_at),
            "tags": _tags(event),
            "_deal_monitor": as_json(event),
        }
        | ({"url": url} if (url := safe_url(event.url)) else {})
        for event in events
    ]
    return json.dumps(document, ensure_ascii=False, indent=1)


def _entry(feed: ET.Element, event: Event) -> None:
    entry = ET.SubElement(feed, f"{{{ATOM}}}entry")
    _add(entry, "id", _id(event))
    _add(entry, "title", inert(subject(event)))
    _add(entry, "updated", _time(event.changed_at))
    if event.published:
        _add(entry, "published", _time(event.published))
    author = ET.SubElement(entry, f"{{{ATOM}}}author")
    _add(author, "name", inert(event.outlet) or "deal-monitor")
    if url := safe_url(event.url):
        _add(entry, "link", rel="alternate", href=url)
    for tag in _tags(event):
        _add(entry, "category", term=tag)
    _add(entry, "summary", render(event, None, "text").body, type="text")


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> None:
    attributes = {key: _NOT_XML.sub("", value) for key, value in attributes.items()}
    child = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    child.text = _NOT_XML.sub("", text) or None


def _id(event: Event) -> str:
    return f"urn:deal-monitor:{event.event_id}:{event.version}"


def _tags(event: Event) -> list[str]:
    words = (event.change or "", event.deal_type, event.status, *event.parties)
    return list(dict.fromkeys(inert(word) for word in words if word))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
