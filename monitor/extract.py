"""A web page to the article on it, or the reason why there is none. Runs in the sandbox.

Knows trafilatura, the marks of consent dialogues, paywalls and walls against machines (`rules/sites.toml`). Fetches
nothing. The feed's own title and date are better than the page's: callers prefer them.
"""

from __future__ import annotations

import html
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.html import HtmlElement

from monitor.errors import ExtractError, SandboxError
from monitor.markup import clean, decode, one_line, plain, plain_line

__all__ = ["Extracted", "crude_text", "extract", "extract_many", "may_be_wall", "plain", "unreadable"]

SHORT = 250  # characters: less is no article
TEASER = 1500  # characters: a text with a paywall's mark that is shorter is only its beginning
BARE = 3000  # characters: a page with fewer, menus and all, is hardly a news page
FEW_WORDS = 8  # different ones: fewer make no article
MAX_TEXT = 200_000

_LD = XPath("//script[@type='application/ld+json']")
_META = XPath("//meta[@property or @name][@content]")
_TIME = XPath("string((//article//time/@datetime | //time[@pubdate]/@datetime)[1])")
_H1 = XPath("string((//article//h1 | //h1)[1])")
_PAGE_TITLE = XPath("string(//head/title[1])")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_BETWEEN = re.compile(r">([^<]+)")
_SILENT = re.compile(rb"<(script|style)\b")
_NOT_FREE = re.compile(rb"isAccessibleForFree[\"'\s:]{1,6}false", re.IGNORECASE)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|[nrtbf])")
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The article of a page. `state` is `paywall` if the text is only the part before the wall."""

    title: str
    text: str  # plain, one paragraph a line
    published: datetime | None = None
    outlet: str = ""
    state: str = "full"  # full, paywall
    detail: str = ""  # why it is not full


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Hints for one site, from `rules/sites.toml`."""

    host: str
    page: str = ""
    why: str = ""
    consent: bool = False
    body: str = ""
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rules:
    consent: tuple[str, ...]
    paywall: tuple[str, ...]
    blocked: tuple[str, ...]
    furniture: frozenset[str]
    sites: dict[str, _Site]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What the page says of itself."""

    title: str = ""
    outlet: str = ""
    published: datetime | None = None
    free: bool = True
    body: str = ""  # the article as structured data carries it


class Pool(Protocol):
    """What runs a function over items in killable workers (`monitor.sandbox.Sandbox`)."""

    def map(self, function: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Results in order, a SandboxError where a worker was killed."""


@cache
def _rules() -> _Rules:
    data = tomllib.loads((files("monitor") / "rules" / "sites.toml").read_text("utf-8"))
    sites = [_Site(**{**item, "drop": tuple(item.get("drop", ()))}) for item in data["sites"]]
    return _Rules(
        tuple(data["consent"]),
        tuple(data["paywall"]),
        tuple(data["blocked"]),
        frozenset(data["furniture"]),
        {site.host: site for site in sites},
    )


def _site(url: str) -> _Site:
    """The hints for the host of `url` or for the nearest domain above it."""
    host = urlsplit(url).hostname or ""
    sites = _rules().sites
    while host:
        if host in sites:
            return sites[host]
        host = host.partition(".")[2]
    return _Site(host="")


def unreadable(url: str) -> str:
    """Why the page at `url` need not be asked for ("" if it may be): known sites that show nothing to a reader."""
    site = _site(url)
    return f"{site.host}: {site.why}" if site.page == "never" else ""


def extract_many(
    pages: Iterable[tuple[bytes, str, str]], pool: Pool
) -> Iterator[Extracted | ExtractError | SandboxError]:
    """`extract` of each (body, content type, final url), in order, in the pool's workers; errors are values."""
    return pool.map(_extract_item, pages)


def _extract_item(page: tuple[bytes, str, str]) -> Extracted | ExtractError:
    try:
        return extract(*page)
    except ExtractError as error:
        return error


def crude_text(body: bytes, content_type: str = "") -> str:
    """All the words of a page, navigation included, in a tenth of the time of `extract`: for a first look.

    The words come twice: with a space where a tag was (so that blocks do not run together) and without ("<b>M</b>eta").
    What `extract` may make of a page is in here, so nothing is lost by looking here first.
    """
    pieces = _BETWEEN.findall(_without_scripts(decode(body, content_type), unescape=True))
    return html.unescape(" ".join(pieces) + "\n" + "".join(pieces))


def may_be_wall(body: bytes, words: str) -> bool:
    """Whether a page whose `crude_text` is `words` may hide its article: then only `extract` can say what it is.

    Consent dialogues and walls against machines are short beside a page with its menus; paywalls declare themselves.
    """
    return len(words) < 2 * BARE or _NOT_FREE.search(body) is not None


def _without_scripts(text: str, *, unescape: bool = False) -> str:
    """The page less its scripts and styles (mostly its larger part); structured data stays, `extract` may need it."""
    page = text.encode("utf-8", "replace")  # lower case is quick and keeps its length only in bytes
    low, kept, place = page.lower(), list[bytes](), 0
    for match in _SILENT.finditer(low):
        if match.start() < place:
            continue  # within the one before
        end = low.find(b"</" + match[1], match.end())
        end = len(page) if end < 0 else end
        kept.append(page[place : match.end()] + b">")
        if b"ld+json" in low[match.end() : match.end() + 200]:
            data = page[match.start() : end]
            kept[-1] = page[place : match.start()] + (_ESCAPE.sub(_unescaped, data) if unescape else data)
        place = end
    kept.append(page[place:])
    return b"".join(kept).decode("utf-8")


def _unescaped(match: re.Match[bytes]) -> bytes:
    """What a JSON escape stands for, as far as words and their bounds go."""
    return chr(int(match[1], 16)).encode("utf-8", "replace") if match[1] else b" "


def extract(body: bytes, content_type: str, url: str) -> Extracted:
    """The article on the page; `url` is where the page was found in the end.

    Raises ExtractError: `not_html`, `empty` (no text worth the name), `consent`, `paywall` (not even a beginning),
    `blocked` (a wall against machines). Not for the main process: use `extract_many`.
    """
    site = _site(url)
    if site.consent:
        raise ExtractError(url, "consent", f"{site.host} shows only its consent dialogue")
    markup = _markup(body, content_type, url)
    from trafilatura import load_html  # here, as only workers extract: it takes a third of a second and 40 MB

    tree = load_html(markup) if markup.strip() else None
    if tree is None:
        raise ExtractError(url, "empty", "the page holds no HTML")
    head = _read_head(tree)
    text = _article_text(tree, site)
    if len(text) < SHORT and len(head.body) > len(text):
        text = clean(head.body)
    state, detail = _judge(text, head, tree, url)
    return Extracted(
        title=head.title,
        text=text[:MAX_TEXT],
        published=head.published,
        outlet=head.outlet or (urlsplit(url).hostname or "").removeprefix("www."),
        state=state,
        detail=detail,
    )


def _markup(body: bytes, content_type: str, url: str) -> str:
    kind = content_type.partition(";")[0].strip().lower()
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if kind == "text/plain" and not start.startswith((b"<!doctype html", b"<html")):
        paragraphs = decode(body, content_type).replace("&", "&amp;").replace("<", "&lt;").split("\n\n")
        return "<html><body><article>" + "".join(f"<p>{part}</p>" for part in paragraphs) + "</article></body></html>"
    if start.startswith((b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"pk\x03\x04", b"\x00\x00\x00")):
        raise ExtractError(url, "not_html", f"a file of another kind ({kind or 'unknown'})")
    if kind and "html" not in kind and "xml" not in kind and b"<html" not in start:
        raise ExtractError(url, "not_html", f"the server calls it {kind[:60]}")
    text = _without_scripts(decode(body, content_type)).translate(_CONTROL)
    declared = _DECLARATION.match(text)  # lxml takes no text that declares an encoding
    return text[declared.end() :] if declared else text


def _article_text(tree: HtmlElement, site: _Site) -> str:
    if site.body:
        found = tree.xpath(site.body)
        tree = found[0] if found and isinstance(found[0], HtmlElement) else tree
    from trafilatura import bare_extraction

    document = bare_extraction(
        tree, fast=True, include_comments=False, include_tables=False, prune_xpath=list(site.drop) or None
    )
    furniture = _rules().furniture
    lines = clean(getattr(document, "text", "") or "").split("\n")
    return "\n".join(line for line in lines if line.lower().strip(" .:") not in furniture)


def _read_head(tree: HtmlElement) -> _Head:
    metas: dict[str, str] = {}
    for meta in _META(tree):
        metas.setdefault((meta.get("property") or meta.get("name")).lower(), meta.get("content"))
    article = _structured(tree)
    title = metas.get("og:title") or _string(article, "headline") or _H1(tree) or _PAGE_TITLE(tree)
    when = metas.get("article:published_time") or _string(article, "datePublished") or _TIME(tree)
    publisher = article.get("publisher")
    outlet = metas.get("og:site_name") or (_string(publisher, "name") if isinstance(publisher, dict) else "")
    free = str(article.get("isAccessibleForFree", "true")).lower() != "false"
    return _Head(
        title=plain_line(title[:2000])[:500],
        outlet=one_line(outlet)[:100],
        published=_moment(when),
        free=free and metas.get("article:content_tier", "free") in ("free", "metered"),
        body=plain(_string(article, "articleBody")[:MAX_TEXT]),
    )


def _structured(tree: HtmlElement) -> dict[str, Any]:
    """The first article that the page's JSON-LD describes, {} if none."""
    for script in _LD(tree)[:10]:
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        graph = data.get("@graph", [data]) if isinstance(data, dict) else data
        for item in graph if isinstance(graph, list) else ():
            if isinstance(item, dict) and any(str(kind).endswith("Article") for kind in _kinds(item)):
                return item
    return {}


def _kinds(item: dict[str, Any]) -> list[Any]:
    kinds = item.get("@type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip()[:40])
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _judge(text: str, head: _Head, tree: HtmlElement, url: str) -> tuple[str, str]:
    """(state, detail) of a text that may be taken for an article; raise ExtractError for one that may not."""
    rules = _rules()
    low = text.lower()
    if len(text) >= SHORT and len(set(low.split())) < FEW_WORDS:
        raise ExtractError(url, "empty", "the text repeats a few words: a table or a list, not an article")
    if len(text) < TEASER:
        wall = _found(rules.blocked, f"{head.title}\n{low}".lower())
        if wall and len(text) < 800:
            raise ExtractError(url, "blocked", f"a wall against machines ({wall!r})")
    if _mostly_consent(low, rules.consent):
        raise ExtractError(url, "consent", "a consent dialogue in place of the article")
    if len(text) >= TEASER and head.free:
        return "full", ""
    # the wall's words are often in a part of the page that is not the article's text
    wall = _found(rules.paywall, low) or ("" if head.free else "marked as not free")
    if not wall and len(text) < TEASER:
        wall = _found(rules.paywall, str(tree.text_content()).lower()) if len(text) < SHORT * 3 else ""
    if len(text) >= TEASER * 2 or (not wall and len(text) >= SHORT):
        return "full", ""
    if wall and len(text) >= SHORT:
        return "paywall", f"only the beginning: {wall!r}"
    if wall:
        raise ExtractError(url, "paywall", f"a paywall ({wall!r})")
    if _mostly_consent(str(tree.text_content())[:5000].lower(), rules.consent):
        raise ExtractError(url, "consent", "a consent dialogue in place of the article")
    raise ExtractError(url, "empty", f"only {len(text)} characters of text")


def _found(phrases: Iterable[str], text: str) -> str:
    return next((phrase for phrase in phrases if phrase in text), "")


def _mostly_consent(text: str, phrases: Iterable[str]) -> bool:
    """Whether most of the words stand in lines that speak of cookies; three such phrases at least."""
    lines = [line for line in text.split("\n") if line.strip()]
    marked = [line for line in lines if _found(phrases, line)]
    kinds = sum(1 for phrase in phrases if phrase in text)
    return kinds >= 3 and sum(map(len, marked)) > 0.5 * sum(map(len, lines))
