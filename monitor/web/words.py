"""What the templates call things, and how they print: names of states, times by the reader's clock, safe links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from monitor.alerts import label, names, status, what
from monitor.alerts.escape import safe_url
from monitor.alerts.words import LABEL, STATUS, TYPE
from monitor.models import Event
from monitor.text import clean_line
from monitor.web.life import Verbatim, pieces
from monitor.web.network import Tie
from monitor.web.volumes import SERIES

EVIDENCE = {
    "single_origin": "one origin", "corroborated": "two or more origins", "confirmed_by_party": "confirmed by a party",
    "denied_by_party": "denied by a party",
}  # fmt: skip
SOURCING = {
    "party_statement": "a party's statement", "named_report": "a named report", "unnamed_sources": "unnamed sources",
    "unattributed": "source not given",
}  # fmt: skip
SINCE = {"1d": "a day ago", "7d": "a week ago", "30d": "a month ago", "365d": "a year ago"}
TIE = {"firm": "deal", "rumour": "rumour", "ended": "ended", "": ""}
MENU = (
    ("events", "Deals"), ("companies", "Companies"), ("graph", "Graph"), ("volumes", "Volumes"), ("feeds", "Feeds"),
    ("alerts", "Alerts"), ("explain", "Explain"),
)  # fmt: skip


@cache
def environment(zone: tzinfo) -> Environment:
    """The templates. Whatever they print is one printable line and escaped."""
    made = Environment(
        loader=PackageLoader("monitor.web"), autoescape=True, undefined=StrictUndefined, finalize=_printable,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters |= {
        "names": names, "what": what, "status": status, "label": label, "web": safe_url, "pieces": pieces, "iso": _iso,
        "count": count, "data": data, "life": _life, "ago": _ago, "date": _date,
        "clock": _by(zone, "%-d %b %Y, %H:%M"), "day": _by(zone, "%-d %b %Y"),
    }  # fmt: skip
    made.globals |= {
        "TYPE": TYPE, "STATUS": STATUS, "LABEL": LABEL, "EVIDENCE": EVIDENCE, "SOURCING": SOURCING, "SERIES": SERIES,
        "SINCE": SINCE, "TIE": TIE,
    }  # fmt: skip
    return made


def _printable(value: Any) -> Any:
    """Strangers' words as one line without what cannot be seen; our own markup as it is."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, Verbatim):
        return Verbatim(" " * value[:1].isspace() + clean_line(value) + " " * (len(value) > 1 and value[-1:].isspace()))
    return clean_line(value) if isinstance(value, str) else value


@pass_context
def _ago(context: Context, at: datetime) -> str:
    """Counted from the time of the page."""
    return ago(at, context["now"])


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _by(zone: tzinfo, form: str) -> Callable[[datetime], str]:
    return lambda at: at.astimezone(zone).strftime(form)


def _date(day: date) -> str:
    return f"{day:%-d %b %Y}"


def _life(tie: Tie) -> str:
    """Days since 1970 and how the tie stood from then on, as the script reads it."""
    return " ".join(f"{(day - date(1970, 1, 1)).days}:{state}" for day, state in tie.life)


def ago(then: datetime, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `now`."""
    seconds = (now - then).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if abs(seconds) >= length:
            number = f"{abs(seconds) / length:.0f} {unit}"
            return f"{number} ago" if seconds > 0 else f"in {number}"
    return "now"


def count(number: int, word: str, plural: str = "") -> str:
    """ "1 deal", "2,000 deals"; "" for none."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}" if number else ""


def plural(word: str, number: int) -> str:
    """The words of the list's head that count things: "new rumours", "second origins"; "confirmed" stays."""
    return f"{word}s" if number != 1 and word.split()[-1] in ("rumour", "deal", "origin", "update") else word


def data(event: Event) -> Markup:
    """A row's attributes for the script that filters a list in a folder."""
    text = " ".join((*event.parties, event.title, event.evidence, event.outlet, event.value, *event.origins))
    parties = "\n".join(clean_line(name).lower() for name in event.parties)
    attributes = {
        "type": event.deal_type, "status": event.status, "evidence": event.evidence_level,
        "at": int(event.changed_at.timestamp()), "parties": parties,
        "words": clean_line(f"{text} {TYPE[event.deal_type]} {event.event_id}").lower(),
    }  # fmt: skip
    return Markup(" ").join(Markup('data-{}="{}"').format(name, value) for name, value in attributes.items())
