"""What a response or an error means for the feed's schedule: headers read, bodies hashed. Knows no clock but the
server's.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitor.errors import FeedError, FetchError, SandboxError
from monitor.feeds.identity import keys_of
from monitor.feeds.records import ParsedFeed
from monitor.fetch.wire import Response, http_date
from monitor.schedule import Answer


def answer_of(result: Response | FetchError | FeedError | SandboxError, parsed: ParsedFeed | None, new: int) -> Answer:
    """The schedule's view of one poll. `parsed` is None for a failure, a 304 and a body that is already known."""
    if not isinstance(result, Response):
        kind = f"parser_{result.kind}" if isinstance(result, SandboxError) else result.kind
        wait = result.retry_after if isinstance(result, FetchError) else None
        return Answer(outcome=kind, detail=result.what, retry_after=wait)
    fresh = fresh_for(result.headers)
    if result.not_modified:
        return Answer(outcome="not_modified", fresh_for=fresh, permanent_to=result.permanent_to)
    return Answer(
        detail=parsed.problem if parsed else "",
        fresh_for=max(fresh, parsed.ttl_seconds if parsed else 0.0),
        etag=result.headers.get("ETag", ""),
        last_modified=result.headers.get("Last-Modified", ""),
        permanent_to=result.permanent_to,
        title=parsed.title if parsed else "",
        body_hash=result.body_hash,
        keys_hash=keys_of(parsed) if parsed else 0,
        total=len(parsed.entries) if parsed else 0,
        new=new,
    )


def fresh_for(headers: Mapping[str, str]) -> float:
    """Seconds that an answer stays good (RFC 9111 4.2.1): max-age less Age, else Expires less Date; 0 if unsaid."""
    directives = headers.get("Cache-Control", "").lower().replace(" ", "").split(",")
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    for directive in directives:
        name, _, value = directive.partition("=")
        value = value.strip('"')
        if name == "max-age" and value.isascii() and value.isdigit():
            age = headers.get("Age", "0").strip()
            return max(float(value[:10]) - (float(age[:10]) if age.isascii() and age.isdigit() else 0.0), 0.0)
    expires, date = http_date(headers.get("Expires", "")), http_date(headers.get("Date", ""))
    return max((expires - date).total_seconds(), 0.0) if expires and date else 0.0
