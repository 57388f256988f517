"""Texts that other programs hand in, one JSON object a line, and the answers they get. The formats are fixed: see the
design's section on the command line. Knows no terminal, no options, and no tables but those it is given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from monitor.claims import Reader, Reading
from monitor.errors import ConfigError
from monitor.models import Article, Claim, Event
from monitor.text import clean_line

HEADLINE = 250  # characters: what is longer and stands at the start of the text is its first paragraph


def parse_documents(lines: Iterable[str], source: str) -> Iterator[tuple[Any, Article]]:
    """(the caller's id, article) of each line. Raises ConfigError naming the line; foreign keys are passed over."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            what = f"this is not JSON: {error}"
            raise _mistake(source, number, what, "write one whole JSON object a line") from None
        yield _document(record, source, number)


def _mistake(source: str, number: int, what: str, remedy: str) -> ConfigError:
    return ConfigError(source, f"line {number}", what, remedy)


def _document(record: Any, source: str, number: int) -> tuple[Any, Article]:
    if not isinstance(record, dict):
        raise _mistake(source, number, "this is not a JSON object", 'write {"id": ..., "title": ..., "text": ...}')
    if record.get("id") in (None, "") or not isinstance(record["id"], str | int):
        raise _mistake(source, number, 'the key "id" is missing', "give each text an id of its own")
    for key in ("title", "text", "url", "published"):
        if not isinstance(record.get(key) or "", str):
            raise _mistake(source, number, f'"{key}" is not a text', f"put {key} in quotes")
    title = clean_line(record.get("title") or "")
    text = record.get("text") or ""
    if not title and not text.strip():
        raise _mistake(source, number, 'neither "title" nor "text" holds anything', "fill in one of them")
    first, _, rest = text.partition("\n")
    if title and clean_line(first) == title:  # the headline again, as the first line of the text
        title, text = (title, rest) if len(title) <= HEADLINE else ("", text)
    return record["id"], Article(
        article_id=str(record["id"]),
        title=title,
        text=text,
        url=record.get("url") or "",
        published=_time(record.get("published") or "", source, number),
    )


def _time(value: str, source: str, number: int) -> datetime | None:
    if not value:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):  # ISO 8601, or as feeds and mails write it
        try:
            time = read(value)
            break
        except ValueError:
            continue
    else:
        what = f'"published" is "{value}", which is no time'
        raise _mistake(source, number, what, 'write it as "2026-11-22T08:30:00Z"')
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One document, and what was read in it."""

    given: Any  # the caller's id
    article: Article
    reading: Reading | None  # None: the gate let it pass by

    @property
    def claims(self) -> tuple[Claim, ...]:
        return self.reading.claims if self.reading else ()


def detect(reader: Reader, documents: Iterable[tuple[Any, Article]]) -> Iterator[Read]:
    """Each document in order with what was read in it, as soon as it comes."""
    for given, article in documents:
        (passed,) = reader.gate([f"{article.title}\n{article.text}"])
        yield Read(given=given, article=article, reading=reader.read(article) if passed else None)


def detect_answer(given: Any, reading: Reading | None) -> dict[str, Any]:
    """What `detect --json` says of one text."""
    return {"id": given, "events": [_claim_answer(c) for c in reading.claims] if reading else []}


def _claim_answer(claim: Claim) -> dict[str, Any]:
    return {
        "parties": list(claim.parties),
        "roles": {party: role for party, role in zip(claim.parties, claim.roles, strict=False) if role},
        "deal_type": claim.deal_type,
        "status": claim.status,
        "sourcing": claim.sourcing,
        "origin": claim.origin,
        "value": claim.value,
        "evidence": claim.evidence,
        "rules": list(claim.rules),
    }


def change_answer(given: Any, event: Event) -> dict[str, Any]:
    """What `backfill --json` says of one change."""
    return {
        "article_id": given,
        "change": event.change,
        "event_id": event.event_id,
        "parties": list(event.parties),
        "deal_type": event.deal_type,
        "status_before": event.status_before,
        "status": event.status,
    }
