"""When two entries are one: links compared without what tracks readers; guids are not trusted.

A guid changes when a site moves to another system, and one guid may stand on many entries; the link says what is to be
read. So the link is the identity, unless it cannot be: no link, the site's front page, one link on several entries.
Then the words are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from monitor.feeds.records import ParsedEntry, ParsedFeed
from monitor.markup import safe_url
from monitor.models import Entry, stable_key

_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)
_AMP = re.compile(r"/amp/?$|^/amp(?=/)", re.IGNORECASE)
_WORD = re.compile(r"\w+")
AHEAD = timedelta(hours=26)  # a wrong time zone may put a date this far into the future; more is a wrong date


@dataclass(frozen=True, slots=True)
class _Links:
    """`rules/urls.toml`, loaded."""

    prefixes: tuple[str, ...]
    tracking: frozenset[str]
    values: dict[str, list[str]]
    redirectors: dict[tuple[str, str], list[str]]

    def tracks(self, name: str, value: str) -> bool:
        return name in self.tracking or name.startswith(self.prefixes) or value.lower() in self.values.get(name, ())


@cache
def _links() -> _Links:
    data = tomllib.loads((files("monitor") / "rules" / "urls.toml").read_text("utf-8"))
    return _Links(
        tuple(data["tracking_prefixes"]),
        frozenset(data["tracking"]),
        data["tracking_values"],
        {(item["host"], item["path"]): item["parameters"] for item in data["redirectors"]},
    )


@lru_cache(maxsize=4096)
def canonical_url(url: str) -> str:
    """The link to read and show: redirectors unwrapped, tracking parameters, default port and fragment removed."""
    links = _links()
    for _ in range(3):
        inner = _unwrap(url, links)
        if not inner:
            break
        url = inner
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{host}]"
    if port and port != {"http": 80, "https": 443}.get(parts.scheme):
        host = f"{host}:{port}"
    user = parts.netloc.rpartition("@")[0]
    query = parts.query
    if query:
        pairs = [part for part in query.split("&") if part and not links.tracks(*_pair(part))]
        query = "&".join(pairs)
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return urlunsplit((parts.scheme.lower(), f"{user}@{host}" if user else host, parts.path or "/", query, fragment))


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.removeprefix("amp;"), value


def _unwrap(url: str, links: _Links) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    names = links.redirectors.get((parts.netloc.lower(), parts.path))
    if not names:
        return ""
    values = dict(parse_qsl(parts.query))
    return next((target for name in names if (target := safe_url(values.get(name, "")))), "")


def link_key(url: str) -> str:
    """What links to one article share: scheme, www, mobile and amp forms, order of parameters are put aside."""
    parts = urlsplit(canonical_url(url))
    host = re.sub(r"^(?:www|m|mobile|amp)\.(?=[^.]+\.)", "", parts.netloc)
    path = _AMP.sub("", _INDEX.sub("/", parts.path)).rstrip("/")
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{host}{path}?{query}#{parts.fragment}"


def identified(feed: ParsedFeed, feed_url: str) -> ParsedFeed:
    """The feed with the links of its entries cleaned, and each entry with its key."""
    links = [canonical_url(entry.url) if entry.url else "" for entry in feed.entries]
    keys = _entry_keys(feed, feed_url)
    whole = zip(feed.entries, links, keys, strict=True)
    return replace(feed, entries=tuple(replace(entry, url=link, key=key) for entry, link, key in whole))


def _entry_keys(feed: ParsedFeed, feed_url: str) -> Iterator[int]:
    """The identity of each entry of a feed, in their order."""
    fronts = {link_key(url) for url in (feed.home, feed_url) if url}
    links = [link_key(entry.url) if entry.url else "" for entry in feed.entries]
    titles: dict[str, set[str]] = {}
    for link, entry in zip(links, feed.entries, strict=True):
        titles.setdefault(link, set()).add(_words(entry.title))
    for link, entry in zip(links, feed.entries, strict=True):
        front = link in fronts or re.fullmatch(r"[^/]*\?#", link)
        if link and not front and len(titles[link]) == 1:
            yield stable_key("link", link)
        elif link and not front:
            yield stable_key("link and title", link, _words(entry.title))
        else:
            yield stable_key("words", feed_url, _words(entry.title), _more_words(entry))


def _words(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _more_words(entry: ParsedEntry) -> str:
    """A title of three words ("Statement", "Press release") needs the start of the text to tell it from the next."""
    return "" if len(_WORD.findall(entry.title)) > 3 else _words(entry.summary[:200])


def to_entries(
    parsed: ParsedFeed, feed_key: int, feed_url: str, now: datetime, baseline: bool = False
) -> tuple[Entry, ...]:
    """Records of a feed's entries, each identity once, in the feed's order. `now` becomes `first_seen`."""
    made: dict[int, Entry] = {}
    for entry in parsed.entries:
        if entry.key in made:
            continue
        made[entry.key] = Entry(
            entry_key=entry.key,
            feed_key=feed_key,
            feed_url=feed_url,
            url=entry.url,
            title=entry.title,
            first_seen=now,
            guid=entry.guid,
            summary=entry.summary,
            content=entry.content,
            author=entry.author,
            source=entry.source,
            published=_credible(entry.published, now),
            baseline=baseline,
        )
    return tuple(made.values())


def keys_of(feed: ParsedFeed) -> int:
    """One number for the set of entries of a feed: it changes when one comes or goes, not when a date is edited."""
    return stable_key(*(str(key) for key in sorted({entry.key for entry in feed.entries})))


def _credible(published: datetime | None, now: datetime) -> datetime | None:
    """A date that can be true: not long in the future (then the clock or the year is wrong), not before the web."""
    if published is None or published.year < 1990 or published > now + AHEAD:
        return None
    return min(published, now)
