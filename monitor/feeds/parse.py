"""Bytes to a feed: finds out what they are and hands them to the reader of that dialect. Runs in the sandbox."""

from __future__ import annotations

import io
import json
import re
import warnings
from calendar import timegm
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

from monitor.errors import FeedError, SandboxError
from monitor.feeds.discover import discover
from monitor.feeds.identity import identified
from monitor.feeds.records import ParsedFeed, RawEntry, finish_all, minutes, moment, period
from monitor.feeds.xml import read_xml
from monitor.markup import charset_of, decode, one_line, plain_line, safe_url

T = TypeVar("T")
R = TypeVar("R")


_DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Pool(Protocol):
    """What runs a function over items in killable workers (`monitor.sandbox.Sandbox`)."""

    def map(self, function: Any, items: Iterable[Any]) -> Iterator[Any]:
        """Results in order, a SandboxError where a worker was killed."""


def parse_many(bodies: Iterable[tuple[bytes, str, str]], pool: Pool) -> Iterator[ParsedFeed | FeedError | SandboxError]:
    """`parse_feed` of each (body, content type, url), in order, in the pool's workers; errors are values."""
    return pool.map(_parse_item, bodies)


def _parse_item(item: tuple[bytes, str, str]) -> ParsedFeed | FeedError:
    try:
        return parse_feed(*item)
    except FeedError as error:
        return error


def parse_feed(body: bytes, content_type: str, url: str) -> ParsedFeed:
    """The feed in `body`, its entries identified. Raises FeedError: `empty`, `not_a_feed` (a web page), `broken`.

    Not for the main process: a hostile body may take minutes. `parse_many` runs it where it can be killed.
    """
    return identified(_feed(body, content_type, url), url)


def _feed(body: bytes, content_type: str, url: str) -> ParsedFeed:
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\0")
    if not start:
        raise FeedError(url, "empty", "the body is empty")
    if start[:1] in (b"{", b"["):
        return _json(body, url)
    if _HTML.match(start) and b"<rss" not in start and b"<feed" not in start:
        raise _web_page(body, url)
    feed = read_xml(body, charset_of(content_type), url)
    # a well-formed feed whose entries seem hollow may be in a dialect that only feedparser knows
    return feed if feed is not None and (feed.entries or not feed.problem) else _any(body, content_type, url)


def _web_page(body: bytes, url: str) -> FeedError:
    found = discover(body, url)
    hint = f"it announces the feed {found[0].url}" if found else "look for its RSS or Atom link"
    return FeedError(url, "not_a_feed", f"a web page, not a feed; {hint}")


def _json(body: bytes, url: str) -> ParsedFeed:
    """JSON Feed 1.0 and 1.1. Every member may be missing or of the wrong type."""
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise FeedError(url, "broken", f"not valid JSON: {str(error)[:80]}") from error
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        raise FeedError(url, "not_a_feed", "JSON, but not a JSON Feed (no list of items)")
    entries, problem = finish_all((_json_item(item) for item in data["items"] if isinstance(item, dict)), url)
    return ParsedFeed(
        title=plain_line(_string(data, "title")),
        home=safe_url(_string(data, "home_page_url"), url),
        format="json",
        entries=entries,
        problem=problem,
    )


def _json_item(item: dict[str, Any]) -> RawEntry:
    authors = item.get("authors") or [item.get("author")]
    names = (
        [_string(author, "name") for author in authors if isinstance(author, dict)] if isinstance(authors, list) else []
    )
    content = _string(item, "content_html")
    text = _string(item, "content_text")
    if not content and text:
        content = "".join(f"<p>{_escape(line)}</p>" for line in text.splitlines() if line.strip())
    return RawEntry(
        url=_string(item, "url") or _string(item, "external_url"),
        title=_escape(_string(item, "title")),
        guid=_string(item, "id"),
        summary=_escape(_string(item, "summary")) or content,
        content=content,
        author=", ".join(name for name in names if name),
        published=moment(_string(item, "date_published")) or moment(_string(item, "date_modified")),
    )


def _string(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _any(body: bytes, content_type: str, url: str) -> ParsedFeed:
    """Whatever feedparser makes of it. `bozo` is normal on good feeds; what counts is whether entries came."""
    try:
        data, raws = _loosely(body, content_type, url)
    except Exception:  # noqa: BLE001 - the border: on broken feeds feedparser raises almost anything
        data, raws = _second_try(body, content_type, url)
    problem = one_line(str(data.get("bozo_exception", ""))[:200]) if data.get("bozo") else ""
    if not raws and not data.get("version"):
        if _HTML.search(body[:4096]):
            raise _web_page(body, url)
        if problem and body.lstrip()[:1] == b"<":
            raise FeedError(url, "broken", f"not readable as a feed: {problem}")
        raise FeedError(url, "not_a_feed", "neither RSS, RDF, Atom, JSON Feed nor a news sitemap")
    entries, hollow = finish_all(raws, url)
    if not entries and (problem or raws):
        raise FeedError(url, "broken", f"no entry could be read: {problem or hollow}")
    head = data.feed
    every = period(_loose(head, "sy_updateperiod"), _loose(head, "sy_updatefrequency") or "1")
    return ParsedFeed(
        title=plain_line(_loose(head, "title")),
        home=safe_url(_loose(head, "link"), url),
        format=str(data.get("version") or "unknown").rstrip("0123456789"),
        entries=entries,
        ttl_seconds=minutes(_loose(head, "ttl")) or every,
        problem=hollow or problem,
    )


def _loosely(body: bytes, content_type: str, url: str) -> tuple[Any, list[RawEntry]]:
    import feedparser  # here, as only workers parse, and few bodies need it

    headers = {"content-type": content_type or "application/xml", "content-location": url}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # a stream, never a string: feedparser would take a string for a URL or a file name and open it
        data = feedparser.parse(io.BytesIO(body), response_headers=headers, sanitize_html=False)
        return data, [_loose_entry(entry) for entry in data.entries]


def _second_try(body: bytes, content_type: str, url: str) -> tuple[Any, list[RawEntry]]:
    """The same in UTF-8, without the declaration: most of what makes feedparser raise is an impossible encoding."""
    text = _DECLARATION.sub("", decode(body, content_type), count=1)
    try:
        return _loosely(text.encode("utf-8", "replace"), "application/xml; charset=utf-8", url)
    except Exception as error:  # the border, as above
        raise FeedError(url, "broken", f"cannot be parsed ({type(error).__name__}: {str(error)[:80]})") from error


def _loose(data: Any, name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _loose_entry(entry: Any) -> RawEntry:
    contents = entry.get("content")
    content = _loose(contents[0], "value") if isinstance(contents, list) and contents else ""
    source = entry.get("source")
    return RawEntry(
        url=_loose(entry, "feedburner_origlink") or _loose(entry, "link"),
        title=_loose(entry, "title"),
        guid=_loose(entry, "id"),
        summary=_loose(entry, "summary") or content,
        content=content,
        author=_loose(entry, "author"),
        source=_loose(source, "title") if isinstance(source, dict) else "",
        published=_struct(entry.get("published_parsed")) or _struct(entry.get("updated_parsed")),
    )


def _struct(value: Any) -> datetime | None:
    """feedparser's struct_time in UTC as a datetime; None for one that is out of range."""
    try:
        return _EPOCH + timedelta(seconds=timegm(value)) if value else None
    except (ValueError, OverflowError, TypeError):
        return None
