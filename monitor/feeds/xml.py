"""RSS 2.0 and 0.9x, RDF, Atom and news sitemaps that are well-formed, read with lxml: a tenth of feedparser's time.

Returns None for anything out of the ordinary (not well-formed, an unknown root), which feedparser then gets.
Entities are not resolved, no DTD is loaded, nothing is fetched.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree
from lxml.etree import _Element as Element

from monitor.errors import FeedError
from monitor.feeds.records import ParsedFeed, RawEntry, finish_all, minutes, moment, period
from monitor.markup import plain_line, safe_url

# Names are written with the usual prefix of their namespace, "" for RSS in all its own ones.
_PREFIX = {
    "": "",
    "http://purl.org/rss/1.0/": "",
    "http://purl.org/rss/2.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://channel.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss2": "",
    "http://www.w3.org/2005/Atom": "atom:",
    "http://purl.org/atom/ns#": "atom:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dc:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://purl.org/rss/1.0/modules/syndication/": "sy:",
    "http://www.google.com/schemas/sitemap-news/0.9": "news:",
    "http://rssnamespace.org/feedburner/ext/1.0": "orig:",
    "http://www.pheedo.com/namespace/pheedo": "orig:",
}
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


def read_xml(body: bytes, charset: str, url: str) -> ParsedFeed | None:
    """The feed, or None if feedparser should have a look. Raises FeedError for a sitemap without news."""
    root = _root(body, charset, url)
    if root is None:
        return None
    name = _name(root)
    local = name.rpartition(":")[2]
    if local == "rss" or local == "RDF":
        return _rss(root, url, local.lower())
    if name == "atom:feed":
        return _atom(root, url)
    if local == "opml":
        raise FeedError(url, "not_a_feed", "a list of feeds (OPML); import it with `deal-monitor feeds import`")
    if local in ("urlset", "sitemapindex"):
        return _sitemap(root, local, url)
    return None


def _root(body: bytes, charset: str, url: str) -> Element | None:
    declared = body[:200].lstrip()[:5] == b"<?xml" and b"encoding" in body[:200].partition(b"?>")[0]
    try:
        parser = etree.XMLParser(
            encoding=charset if charset and not declared else None,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        return etree.fromstring(body.lstrip(), parser, base_url=url)
    except (etree.XMLSyntaxError, LookupError, ValueError):
        return None


def _name(element: Element) -> str:
    """The local name with the usual prefix; "?:" for namespaces that say nothing here."""
    tag = element.tag
    if not isinstance(tag, str):
        return "?:"
    space, _, name = tag.rpartition("}")
    return _PREFIX.get(space[1:], "?:") + name


def _fields(parent: Element) -> dict[str, Element]:
    """The first child of each name; links that are not the page itself left out."""
    found: dict[str, Element] = {}
    for child in parent:
        name = _name(child)
        if name != "atom:link" or child.get("rel", "alternate") == "alternate":
            found.setdefault(name, child)
    return found


def _text(element: Element | None) -> str:
    if element is None:
        return ""
    return "".join(element.itertext()) if len(element) else element.text or ""


def _first(fields: dict[str, Element], *names: str) -> str:
    """The text of the first of `names` that says anything."""
    return next((text for name in names if (text := _text(fields.get(name)).strip())), "")


def _date(fields: dict[str, Element], *names: str) -> datetime | None:
    return next((found for name in names if (found := moment(_text(fields.get(name))))), None)


def _every(head: dict[str, Element]) -> float:
    return minutes(_first(head, "ttl")) or period(_first(head, "sy:updatePeriod"), _first(head, "sy:updateFrequency"))


def _rss(root: Element, url: str, dialect: str) -> ParsedFeed | None:
    channel = next((child for child in root if _name(child) in ("channel", "?:channel")), None)
    if channel is None:
        return None
    head = _fields(channel)
    places = (channel, root) if dialect == "rdf" else (channel,)
    items = (item for place in places for item in place if _name(item) in ("item", "?:item"))
    entries, problem = finish_all(map(_rss_item, items), url)
    return ParsedFeed(
        title=plain_line(_text(head.get("title"))[:2000]),
        home=safe_url(_first(head, "link"), url),
        format=dialect,
        entries=entries,
        problem=problem,
        ttl_seconds=_every(head),
    )


def _rss_item(item: Element) -> RawEntry:
    fields = _fields(item)
    guid, link = fields.get("guid"), fields.get("atom:link")
    name = _text(guid).strip() or _first(fields, "atom:id")
    permalink = name if guid is not None and guid.get("isPermaLink") != "false" and name.startswith("http") else ""
    href = link.get("href", "") if link is not None else ""
    return RawEntry(
        url=_first(fields, "orig:origLink", "link") or href or permalink or item.get(_ABOUT, ""),
        title=_text(fields.get("title")),
        guid=name,
        summary=_text(fields.get("description")),
        content=_text(fields.get("content:encoded")),
        author=_first(fields, "dc:creator", "author"),
        source=_first(fields, "source"),
        published=_date(fields, "pubDate", "dc:date", "dc:issued", "dc:created", "atom:published", "atom:updated"),
        base=item.base or "",
    )


def _atom(root: Element, url: str) -> ParsedFeed:
    head = _fields(root)
    link = head.get("atom:link")
    entries, problem = finish_all((_atom_entry(child) for child in root if _name(child) == "atom:entry"), url)
    return ParsedFeed(
        title=plain_line(_text(head.get("atom:title"))[:2000]),
        home=safe_url(link.get("href", ""), link.base or url) if link is not None else "",
        format="atom",
        entries=entries,
        problem=problem,
        ttl_seconds=_every(head),
    )


def _atom_entry(entry: Element) -> RawEntry:
    fields = _fields(entry)
    link = fields.get("atom:link")
    author, source = fields.get("atom:author"), fields.get("atom:source")
    content = _markup(fields.get("atom:content"))
    return RawEntry(
        url=_first(fields, "orig:origLink") or (link.get("href", "") if link is not None else ""),
        title=_markup(fields.get("atom:title")),
        guid=_first(fields, "atom:id"),
        # a short content is a summary; `finish` sees whether it is the whole article
        summary=_markup(fields.get("atom:summary")) or content,
        content=content,
        author=_first(_fields(author), "atom:name") if author is not None else _first(fields, "dc:creator"),
        source=_first(_fields(source), "atom:title") if source is not None else "",
        published=_date(fields, "atom:published", "atom:issued", "atom:updated", "atom:modified", "dc:date"),
        base=entry.base or "",
    )


def _markup(element: Element | None) -> str:
    """An Atom text construct as HTML: xhtml is written out, plain text escaped, base64 unpacked."""
    if element is None or element.get("src"):
        return ""
    kind, text = element.get("type", "text"), element.text or ""
    if len(element):
        return escape(text) + "".join(etree.tostring(child, encoding="unicode", method="html") for child in element)
    if element.get("mode") == "base64" or kind == "application/octet-stream":
        with contextlib.suppress(ValueError):
            return base64.b64decode(text).decode("utf-8", "replace")
    return text if "html" in kind or element.get("mode") == "escaped" else escape(text)


def _sitemap(root: Element, name: str, url: str) -> ParsedFeed:
    if name == "sitemapindex":
        first = next((_text(loc).strip() for loc in root.iter("{*}loc")), "")
        raise FeedError(url, "not_a_feed", f"a list of sitemaps; subscribe to one that holds news, such as {first}")
    raws = list(_news(root))
    if not raws and len(root):
        raise FeedError(url, "not_a_feed", "a sitemap without news titles; subscribe to the site's feed instead")
    entries, problem = finish_all(raws, url)
    return ParsedFeed(format="sitemap", entries=entries, problem=problem)


def _news(root: Element) -> Iterator[RawEntry]:
    for page in root:
        news = _fields(page).get("news:news")
        if news is None:
            continue
        fields = _fields(news)
        publication = fields.get("news:publication")
        yield RawEntry(
            url=(page.findtext("{*}loc") or "").strip(),
            title=_text(fields.get("news:title")),
            source=_first(_fields(publication), "news:name") if publication is not None else "",
            published=_date(fields, "news:publication_date"),
        )
