"""The feeds that a web page announces, and the places where sites keep them without saying so."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.markup import one_line, safe_url

_LINK = re.compile(rb"<(?:link|a)\b([^<>]{1,2000})>", re.IGNORECASE)
_BASE = re.compile(rb"<base\b[^<>]{0,500}?\bhref\s*=\s*[\"']?([^\"'\s>]{1,500})", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z-]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_LIKELY = re.compile(
    r"(?:^|[/.])(?:rss|feed|feeds|atom|index\.rdf)(?:[/.?]|$)|\.(?:rss|atom|rdf)$|rss\.xml|feed\.xml", re.IGNORECASE
)
_USUAL = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feeds/posts/default", "/feed.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed that a page points to."""

    url: str
    title: str = ""
    sure: bool = True  # announced as a feed, not just a link that looks like one


def discover(body: bytes, url: str) -> tuple[FoundFeed, ...]:
    """Feeds that the HTML page announces (`link rel=alternate`), then links that look like feeds; each once."""
    base = _BASE.search(body)
    root = safe_url(base[1].decode("utf-8", "replace"), url) if base else url
    found: dict[str, FoundFeed] = {}
    likely: dict[str, FoundFeed] = {}
    for match in _LINK.finditer(body[: 2 << 20]):
        pairs = _ATTRIBUTE.findall(match[1].decode("utf-8", "replace"))
        attributes = {name.lower(): html.unescape(a or b or c) for name, a, b, c in pairs}
        target = safe_url(attributes.get("href", ""), root or url)
        if not target:
            continue
        title = one_line(attributes.get("title", ""))[:200]
        if match[0][1:5].lower() == b"link":
            rel = attributes.get("rel", "").lower().split()
            kind = attributes.get("type", "").lower().split(";")[0].strip()
            if ("alternate" in rel and kind in _TYPES) or "feed" in rel:
                found.setdefault(target, FoundFeed(url=target, title=title))
        elif _LIKELY.search(urlsplit(target).path):
            likely.setdefault(target, FoundFeed(url=target, title=title, sure=False))
    return (*found.values(), *(feed for target, feed in likely.items() if target not in found))


def guesses(url: str) -> tuple[str, ...]:
    """Where the feed of a site may be if its page announces none. To be asked one after the other, politely."""
    parts = urlsplit(url)
    site = f"{parts.scheme}://{parts.netloc}"
    folder = parts.path.rstrip("/")
    nearby = (f"{site}{folder}/feed", f"{site}{folder}/rss") if folder else ()
    return (*nearby, *(site + path for path in _USUAL))
