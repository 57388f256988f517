"""Strangers' markup and links made harmless: plain text out of HTML fragments, http(s) links only.

Knows HTML's tags and the characters that can forge a line of text. Knows no feed or page format. Everything here is
linear in its input: no pattern can be made to backtrack.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin, urlsplit

MAX_URL = 2048
_BLOCK_TAGS = """address article aside blockquote br dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header
    hr li main nav ol p pre section table tbody tfoot thead tr ul"""
_INLINE_TAGS = """a abbr acronym b bdi bdo big body button center cite code data del dfn em font html i input ins kbd
    label legend link mark meta q s samp script small span strike strong style sub sup time title tt u var wbr iframe
    svg"""
_BLOCK = frozenset(_BLOCK_TAGS.split())
_CELL = frozenset(("td", "th", "option", "img"))
_INLINE = frozenset(_INLINE_TAGS.split())
# One alternation, each branch ends at its closer or at the end of the text: nothing is scanned twice.
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<silent>script|style)\b[^>]*(?:>.*?(?:</(?P=silent)\s*>|\Z)|\Z)"
    r"|<!\[CDATA\[|\]\]>"
    r"|<[!?/]?(?P<name>[a-zA-Z][a-zA-Z0-9:_-]*)[^>]*(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_SPACE = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r"[\t\r\n]+")
_ANY_SPACE = re.compile(r"\s")
_WHOLE = re.compile(r"https?://[^/?#;][^;]*\Z")  # a link that needs no base, and says nothing that a base would undo
_LINES = re.compile(r"\s*\n\s*")


def _forged() -> dict[int, str | None]:
    """Characters that are not text: controls, bidirectional overrides, invisible joiners, tags, noncharacters.

    0x80 to 0x9F are controls by the book; on the web they are punctuation of Windows that went astray.
    """
    gone = [*range(0x20), 0x7F, 0xAD, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
    gone += [*range(0x2060, 0x2070), 0xFEFF, *range(0xFFF0, 0xFFFC), *range(0xFDD0, 0xFDF0), *range(0xD800, 0xE000)]
    gone += [*range(0xE0000, 0xE0080), 0xFFFE, 0xFFFF]
    table: dict[int, str | None] = dict.fromkeys(gone)
    space: tuple[int, ...] = (0x09, 0x0B, 0x0C, 0x0D)
    table |= {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
    return table | dict.fromkeys(space, " ") | {0x0A: "\n", 0x2028: "\n", 0x2029: "\n"}


_FORGED = _forged()


def clean(text: str) -> str:
    """Text without characters that forge, white space folded, paragraphs kept as lines."""
    text = _SPACE.sub(" ", text.translate(_FORGED))
    return _LINES.sub("\n", text).strip()


def one_line(text: str) -> str:
    """`clean` on one line."""
    return " ".join(text.translate(_FORGED).split())


def plain(markup: str) -> str:
    """The text of an HTML fragment: tags and scripts out, references resolved, one line per paragraph.

    Text that was escaped twice (feeds do that) is unwrapped twice, then only for tags that HTML knows, so that
    "a<b" stays.
    """
    return clean(_unmarked(markup)) if markup else ""


def plain_line(markup: str) -> str:
    """`plain` on one line: titles, names."""
    return one_line(_unmarked(markup)) if markup else ""


def _unmarked(markup: str) -> str:
    if "<" in markup:
        markup = _TAG.sub(_replace, markup)
    if "&" in markup:
        markup = html.unescape(markup)
        if "<" in markup:
            markup = _TAG.sub(_replace_known, markup)
        if "&" in markup:
            markup = html.unescape(markup)
    return markup


def _replace(match: re.Match[str]) -> str:
    name = (match["name"] or "").lower()
    if name in _BLOCK:
        return "\n"
    return " " if name in _CELL or match["silent"] else ""


def _replace_known(match: re.Match[str]) -> str:
    name = (match["name"] or "").lower()
    known = match["silent"] or name in _BLOCK or name in _CELL or name in _INLINE or match[0].startswith("<!--")
    return _replace(match) if known else match[0]


def safe_url(url: str, base: str = "") -> str:
    """An absolute http(s) link without control characters, or "" (no link, `javascript:`, `data:`, too long)."""
    # as browsers do it: breaks and tabs vanish ("java\\nscript:" is javascript:), spaces are escaped
    url = _BREAKS.sub("", url).translate(_FORGED).strip()
    url = _ANY_SPACE.sub("%20", url)
    if not url or len(url) > MAX_URL:
        return ""
    try:
        url = urljoin(base, url) if base and not _WHOLE.match(url) else url
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and host else ""


_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LATIN = frozenset(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii", "windows-1252", "cp1252"))


def charset_of(content_type: str) -> str:
    """The charset that a Content-Type names, "" if none."""
    match = _CHARSET.search(content_type)
    return match[1].lower() if match else ""


def decode(body: bytes, content_type: str = "") -> str:
    """A page as text. What is valid UTF-8 is UTF-8, whatever header or meta element say: they are wrong more often."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    meta = _META_CHARSET.search(body[:2048])
    declared = charset_of(content_type) or (meta[1].decode("ascii", "replace").lower() if meta else "")
    if not declared.startswith(("iso-2022", "utf-16", "hz")):
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if declared in _LATIN or declared.startswith("utf-8"):
        declared = ""
    try:
        return body.decode(declared or "cp1252", "replace")
    except (LookupError, ValueError):  # an encoding that does not exist
        return body.decode("cp1252", "replace")
