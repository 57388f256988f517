"""Expected closings as an iCalendar (RFC 5545), where an article states one. Knows how news writes such dates."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from monitor.alerts import subject, what
from monitor.alerts.escape import inert, safe_url
from monitor.models import Event

_MONTHS = "january february march april may june july august september october november december".split()
_ORDINAL = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_CLOSING = re.compile(r"(?i)\b(?:clos(?:e|es|ing|ed)|complet(?:e|es|ion|ed)|finali[sz]e[ds]?|conclude[ds]?)\b")
_MONTH = "|".join(f"{m}|{m[:3]}\\.?" for m in _MONTHS)
_WHEN = re.compile(
    rf"(?i)\b(?:(?P<day>\d{{1,2}})\s+)?(?P<month>{_MONTH})\s+(?:(?P<day2>\d{{1,2}}),?\s+)?(?P<year1>20\d\d)\b"
    r"|\b(?:q(?P<q>[1-4])|(?P<nth>first|second|third|fourth|1st|2nd|3rd|4th)[\s-]+(?P<unit>quarter|half)|"
    r"(?P<part>early|mid|late|the\s+end\s+of|year-?end|end\s+of)|h(?P<h>[12]))"
    r"(?:\s+(?:of|in))?[\s-]+(?:fiscal\s+|calendar\s+)?(?P<year2>20\d\d)\b"
)


@dataclass(frozen=True, slots=True)
class Closing:
    """When a deal is expected to close: first and last day, and the words that say so."""

    first: date
    last: date
    words: str


def closing(event: Event) -> Closing | None:
    """The expected closing that the deal's terms or sentence state; None where they state none."""
    if event.status not in ("announced", "rumour"):
        return None
    for text in (*event.terms, event.evidence):
        said = _CLOSING.search(text)
        if said and (match := _WHEN.search(text, said.end())) and (span := _span(match)):
            return Closing(*span, words=text)
    return None


def _span(match: re.Match[str]) -> tuple[date, date] | None:
    if match["month"]:
        month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(match["month"].lower().strip(".")[:3]))
        year, day = int(match["year1"]), match["day"] or match["day2"]
        if not day:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        if not 1 <= int(day) <= monthrange(year, month)[1]:
            return None
        return date(year, month, int(day)), date(year, month, int(day))
    year = int(match["year2"])
    if match["q"] or (match["unit"] or "").lower() == "quarter":
        return _months(year, int(match["q"] or _ORDINAL[match["nth"].lower()]), 3)
    if match["h"] or match["unit"]:
        half = int(match["h"] or _ORDINAL[match["nth"].lower()])
        return _months(year, half, 6) if half <= 2 else None
    part = match["part"].lower()
    first, last = {"early": (1, 4), "mid": (5, 8), "late": (9, 12)}.get(part, (12, 12))
    return date(year, first, 1), date(year, last, monthrange(year, last)[1])


def _months(year: int, number: int, length: int) -> tuple[date, date]:
    last = number * length
    return date(year, last - length + 1, 1), date(year, last, monthrange(year, last)[1])


def to_ical(events: Iterable[Event], now: datetime, name: str = "Expected closings") -> str:
    """A calendar with one all-day entry for each deal that states when it should close. `events`: newest versions."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//deal-monitor//EN", f"X-WR-CALNAME:{_text(name)}"]
    for event in events:
        expected = closing(event)
        if expected is None or event.merged_into:
            continue
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.event_id}@deal-monitor",
            f"SEQUENCE:{event.version}",
            f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{expected.first:%Y%m%d}",
            f"DTEND;VALUE=DATE:{expected.last + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(f'Expected closing: {what(event)}')}",
            f"DESCRIPTION:{_text(f'{subject(event)}. {expected.words}')}",
            "TRANSP:TRANSPARENT",
        ]
        if url := safe_url(event.url):
            lines.append(f"URL:{url}")
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def _text(words: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", inert(words))


def _folded(line: str) -> str:
    """At most 75 octets a line, continued by a space; never within a character."""
    pieces, piece, size = [], "", 0
    for char in line:
        length = len(char.encode())
        if size + length > 75:
            pieces.append(piece)
            piece, size = "", 1
        piece += char
        size += length
    return "\r\n ".join([*pieces, piece])
