"""OPML, the format in which feed readers exchange lists of subscriptions (1.0, 1.1, 2.0). Folders become tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from monitor.errors import FeedError
from monitor.markup import one_line, plain_line, safe_url

_BARE = re.compile(rb"&(?!(?:#\d+|#x[0-9a-fA-F]+|\w{2,8});)")  # an ampersand that somebody forgot to escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One subscription."""

    url: str
    title: str = ""
    home: str = ""
    tags: tuple[str, ...] = ()


def read_opml(body: bytes, name: str = "OPML") -> tuple[Outline, ...]:
    """The subscriptions of an OPML file, each URL once; folders and categories as tags.

    Raises FeedError (`not_a_feed`) for anything else. Slightly broken XML is read as far as it goes, as exporters
    forget to escape ampersands; entities are not resolved.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(_BARE.sub(b"&amp;", body.strip()), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FeedError(name, "not_a_feed", f"cannot be read as OPML: {str(error)[:100]}") from error
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise FeedError(name, "not_a_feed", "not an OPML file; export the list of your reader as OPML")
    found: dict[str, Outline] = {}
    for outline in root.iter("{*}outline", "outline"):
        url = safe_url(outline.get("xmlUrl") or outline.get("xmlurl") or "")
        if not url:
            continue
        folders = [_title(parent) for parent in outline.iterancestors("{*}outline", "outline")]
        categories = [part.strip("/ ") for part in (outline.get("category") or "").split(",")]
        tags = dict.fromkeys(one_line(tag)[:60] for tag in (*reversed(folders), *categories) if tag.strip())
        found.setdefault(
            url, Outline(url=url, title=_title(outline), home=safe_url(outline.get("htmlUrl") or ""), tags=tuple(tags))
        )
    return tuple(found.values())


def _title(outline: etree._Element) -> str:
    return plain_line(outline.get("text") or outline.get("title") or "")[:200]


def write_opml(outlines: Iterable[Outline], title: str = "Subscriptions of the deal monitor") -> str:
    """An OPML 2.0 document that other readers can import; tags go into `category`."""
    lines = []
    for one in outlines:
        pairs = [("text", one.title or one.url), ("title", one.title or one.url), ("type", "rss"), ("xmlUrl", one.url)]
        pairs += [("htmlUrl", one.home)] if one.home else []
        pairs += [("category", ",".join(tag.replace(",", " ") for tag in one.tags))] if one.tags else []
        lines.append("    <outline " + " ".join(f"{name}={quoteattr(value)}" for name, value in pairs) + "/>")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head>\n'
        f"    <title>{escape(title)}</title>\n  </head>\n  <body>\n" + "\n".join(lines) + "\n  </body>\n</opml>\n"
    )
