"""What a feed says, whatever its dialect, as clean records. Of a stranger's feed only text and links are taken."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.markup import plain, plain_line, safe_url

MAX_ENTRIES = 2000
MAX_TITLE = 500  # characters
MAX_SUMMARY = 5_000
MAX_CONTENT = 300_000
WHOLE = 900  # characters of text from which on a content element may be the whole article
WHOLE_SUMMARY = 2_000  # the same for a description, which mostly is a summary

_CUT = re.compile(
    r"(?:\[?(?:…|\.\.\.)\]?|read (?:more|the full|on)|continue reading|full (?:story|article)|subscribe to read)"
    r"[^\n.]{0,60}$",
    re.IGNORECASE,
)
_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """One entry, clean: plain text, http(s) link."""

    key: int = 0  # its identity (`monitor.feeds.identity`)
    url: str = ""  # the link to read and show: absolute, without what tracks readers
    title: str = ""
    guid: str = ""
    summary: str = ""
    content: str = ""  # HTML of the whole article, "" if the feed does not carry it
    author: str = ""
    source: str = ""
    published: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """A feed as one answer of its server gave it."""

    title: str = ""
    home: str = ""  # the web site that it belongs to
    format: str = ""  # rss, rdf, atom, json, sitemap
    entries: tuple[ParsedEntry, ...] = ()
    ttl_seconds: float = 0.0  # how long the feed asks to be left alone (ttl, sy:updatePeriod); 0 = says nothing
    problem: str = ""  # what was wrong with it, if it could be read all the same


@dataclass(slots=True, kw_only=True)
class RawEntry:
    """One entry as its dialect has it: strings that may hold anything."""

    url: str = ""
    title: str = ""
    guid: str = ""
    summary: str = ""
    content: str = ""
    author: str = ""
    source: str = ""
    published: datetime | None = None
    base: str = ""


def finish(raw: RawEntry, feed_url: str) -> ParsedEntry | None:
    """The clean entry, or None if there is nothing in it. A missing title is made from the text."""
    summary = plain(raw.summary[:MAX_CONTENT]) if raw.summary else ""
    title = plain_line(raw.title[: MAX_TITLE * 4])[:MAX_TITLE]
    url = safe_url(raw.url, raw.base or feed_url) if raw.url else ""
    content = _whole(raw, summary)
    if not title:
        title = _headline(summary or plain(content[:4000]))
    if not (title or url):
        return None
    return ParsedEntry(
        url=url,
        title=title,
        guid=plain_line(raw.guid[:500]),
        summary=summary[:MAX_SUMMARY],
        content=content,
        author=plain_line(raw.author[:500])[:200],
        source=plain_line(raw.source[:500])[:200],
        published=raw.published,
    )


def finish_all(raws: Iterable[RawEntry], feed_url: str) -> tuple[tuple[ParsedEntry, ...], str]:
    """Clean entries of a feed, at most MAX_ENTRIES; and what there is to say about them ("" if nothing)."""
    done: list[ParsedEntry] = []
    hollow = 0
    for raw in raws:
        entry = finish(raw, feed_url)
        if entry is None:
            hollow += 1
        elif len(done) == MAX_ENTRIES:
            return tuple(done), f"only the first {MAX_ENTRIES} entries were read"
        else:
            done.append(entry)
    if hollow:
        return tuple(done), f"{hollow} entries hold neither title, link nor text"
    return tuple(done), "" if done else "the feed has no entries"


def _whole(raw: RawEntry, summary: str) -> str:
    """The HTML of the article, if the feed carries all of it; a teaser is not an article."""
    if raw.content and len(raw.content) <= MAX_CONTENT:
        text = plain(raw.content)
        # a content element that says no more than the summary is the summary
        if len(text) >= WHOLE and len(text) > 1.3 * len(summary) and not _CUT.search(text[-120:]):
            return raw.content
    if len(summary) >= WHOLE_SUMMARY and len(raw.summary) <= MAX_CONTENT and not _CUT.search(summary[-120:]):
        return raw.summary
    return ""


def _headline(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= 140 else line[:140].rpartition(" ")[0] + " …"


def period(name: str, frequency: str) -> float:
    """Seconds between updates as sy:updatePeriod and sy:updateFrequency state them, 0 if they do not."""
    seconds = _PERIODS.get(name.strip().lower(), 0)
    times = int(frequency) if frequency.strip().isascii() and frequency.strip().isdigit() else 1
    return seconds / max(times, 1)


def minutes(ttl: str) -> float:
    """Seconds of an RSS ttl, 0 if it is no number."""
    ttl = ttl.strip()
    return float(ttl[:6]) * 60 if ttl.isascii() and ttl.isdigit() else 0.0


def moment(text: str) -> datetime | None:
    """A date of a feed (RFC 822 or ISO 8601) in UTC; without a zone it is taken as UTC. None if unreadable."""
    text = text.strip()[:64]
    if not text:
        return None
    found: datetime | None = None
    try:
        found = datetime.fromisoformat(text) if text[:4].isdigit() else email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
