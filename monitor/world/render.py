"""The world's articles as feeds (RSS 2.0, RSS 1.0, Atom, JSON Feed) and as HTML pages. Pure: text in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from string import Template
from xml.etree import ElementTree as ET

from monitor.world.script import FeedSpec, Piece, Script

ATOM = "http://www.w3.org/2005/Atom"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RSS1 = "http://purl.org/rss/1.0/"
DC = "http://purl.org/dc/elements/1.1/"
RELATED = 4  # links to other articles beside one

for prefix, space in (("atom", ATOM), ("rdf", RDF), ("dc", DC)):
    ET.register_namespace(prefix, space)

CONTENT_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "rdf": "application/rdf+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
}


def page_path(script: Script, piece: Piece) -> str:
    return f"/{piece.outlet}/{script.published(piece):%Y/%m/%d}/{piece.id}.html"


def render_feed(script: Script, feed: FeedSpec, pieces: Sequence[Piece], base: str) -> bytes:
    """The feed's document. `base` is the site's address without a slash at its end."""
    return FORMATS[feed.format](script, feed, pieces, base)


def _rss(script: Script, feed: FeedSpec, pieces: Sequence[Piece], base: str) -> bytes:
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", f"{base}/{feed.outlet}")
    _add(channel, "description", f"{feed.title}, as it happens")
    _add(channel, "ttl", "15")
    for piece in pieces:
        item = ET.SubElement(channel, "item")
        url = base + page_path(script, piece)
        if feed.carries:  # an aggregator: the outlet's name behind the headline, a link that counts visitors
            name = script.outlet(piece.outlet).name
            _add(item, "title", f"{piece.title} - {name}")
            _add(item, "link", f"{url}?utm_source=tideline&utm_medium=rss")
            _add(item, "guid", f"tideline-{piece.id}", isPermaLink="false")
            _add(item, "description", f'<a href="{url}">{escape(piece.title)}</a>&nbsp;<small>{escape(name)}</small>')
            _add(item, "source", name, url=f"{base}/{piece.outlet}")
        else:
            _add(item, "title", piece.title)
            _add(item, "link", url)
            _add(item, "guid", piece.guid or url, isPermaLink=str(not piece.guid).lower())
            _add(item, "description", piece.summary)
        if not piece.undated:
            _add(item, "pubDate", format_datetime(script.published(piece)))
    return _xml(root, feed.charset)


def _rdf(script: Script, feed: FeedSpec, pieces: Sequence[Piece], base: str) -> bytes:
    root = ET.Element(f"{{{RDF}}}RDF")
    channel = ET.SubElement(root, f"{{{RSS1}}}channel", {f"{{{RDF}}}about": base + feed.path})
    _add(channel, f"{{{RSS1}}}title", feed.title)
    _add(channel, f"{{{RSS1}}}link", f"{base}/{feed.outlet}")
    _add(channel, f"{{{RSS1}}}description", f"{feed.title}: what companies say")
    order = ET.SubElement(ET.SubElement(channel, f"{{{RSS1}}}items"), f"{{{RDF}}}Seq")
    for piece in pieces:
        url = base + page_path(script, piece)
        ET.SubElement(order, f"{{{RDF}}}li", {f"{{{RDF}}}resource": url})
        item = ET.SubElement(root, f"{{{RSS1}}}item", {f"{{{RDF}}}about": url})
        _add(item, f"{{{RSS1}}}title", piece.title)
        _add(item, f"{{{RSS1}}}link", url)
        _add(item, f"{{{RSS1}}}description", piece.summary)
        if not piece.undated:
            _add(item, f"{{{DC}}}date", script.published(piece).isoformat())
    return _xml(root, feed.charset)


def _atom(script: Script, feed: FeedSpec, pieces: Sequence[Piece], base: str) -> bytes:
    root = ET.Element(f"{{{ATOM}}}feed")
    _add(root, f"{{{ATOM}}}title", feed.title)
    _add(root, f"{{{ATOM}}}id", base + feed.path)
    _add(root, f"{{{ATOM}}}link", "", href=base + feed.path, rel="self")
    for piece in pieces:
        url = base + page_path(script, piece)
        entry = ET.SubElement(root, f"{{{ATOM}}}entry")
        _add(entry, f"{{{ATOM}}}title", piece.title)
        _add(entry, f"{{{ATOM}}}id", piece.guid or f"tag:{feed.outlet}.example,2025:{piece.id}")
        _add(entry, f"{{{ATOM}}}link", "", href=url, rel="alternate", type="text/html")
        if piece.byline:
            _add(ET.SubElement(entry, f"{{{ATOM}}}author"), f"{{{ATOM}}}name", piece.byline)
        if not piece.undated:
            _add(entry, f"{{{ATOM}}}published", script.published(piece).isoformat())
            _add(entry, f"{{{ATOM}}}updated", script.published(piece).isoformat())
        _add(entry, f"{{{ATOM}}}summary", piece.summary, type="text")
    return _xml(root, feed.charset)


def _json(script: Script, feed: FeedSpec, pieces: Sequence[Piece], base: str) -> bytes:
    items = []
    for piece in pieces:
        url = base + page_path(script, piece)
        item = {"id": piece.guid or url, "url": url, "title": piece.title, "summary": piece.summary}
        if feed.full_text:
            item["content_html"] = _paragraphs(piece.paragraphs)
        if not piece.undated:
            item["date_published"] = script.published(piece).isoformat()
        items.append(item)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": f"{base}/{feed.outlet}",
        "feed_url": base + feed.path,
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode(feed.charset)


FORMATS: dict[str, Callable[[Script, FeedSpec, Sequence[Piece], str], bytes]] = {
    "rss": _rss, "rdf": _rdf, "atom": _atom, "json": _json,
}  # fmt: skip


def render_page(script: Script, piece: Piece, base: str) -> bytes:
    """The article's page, in its outlet's layout, with all that stands around an article."""
    outlet = script.outlet(piece.outlet)
    layout = "consent" if piece.page == "consent" else outlet.layout
    template = Template((script.folder / "layouts" / f"{layout}.html").read_text(encoding="utf-8"))
    paragraphs = () if piece.page == "empty" else piece.paragraphs
    half = (len(paragraphs) + 1) // 2
    published = script.published(piece)
    return template.substitute(
        site=escape(outlet.name),
        title=escape(piece.title),
        title_json=json.dumps(piece.title).replace("</", "<\\/"),
        summary="" if piece.page == "empty" else escape(piece.summary),
        byline=escape(piece.byline),
        published=published.isoformat(),
        shown=_shown(published),
        url=escape(base + page_path(script, piece)),
        feed=escape(base + next(f.path for f in script.feeds if f.outlet == outlet.id)),
        sections="".join(f'<li><a href="/section/{n}">{escape(s)}</a></li>' for n, s in enumerate(outlet.sections)),
        related="".join(
            f'<li><a href="{escape(base + page_path(script, other))}">{escape(other.title)}</a></li>'
            for other in _related(script, piece)
        ),
        body=_paragraphs(paragraphs),
        body_one=_paragraphs(paragraphs[:half]),
        body_two=_paragraphs(paragraphs[half:]),
    ).encode()


def _related(script: Script, piece: Piece) -> list[Piece]:
    """Other headlines of the outlet up to the article's own morning, so that its page does not change with the days."""
    others = [
        p for p in script.articles if p.outlet == piece.outlet and p.id != piece.id and p.morning <= piece.morning
    ]
    return sorted(others, key=lambda p: (script.published(p), p.id), reverse=True)[:RELATED]


def _paragraphs(paragraphs: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(p, quote=False)}</p>" for p in paragraphs)


def _shown(when: datetime) -> str:
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text or None


def _xml(root: ET.Element, charset: str) -> bytes:
    """The document in `charset`. Its head says utf-8 whatever the truth is, as careless sites do."""
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode")
    return text.encode(charset, "xmlcharrefreplace")
