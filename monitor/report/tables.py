"""Deals as rows for other programs: stable, documented columns, as CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from monitor.alerts import subject
from monitor.events import amount
from monitor.models import Event
from monitor.report.crosswalk import codes
from monitor.text import clean_line

# column -> (kind, what it holds). Columns are only ever added, at the end.
COLUMNS: dict[str, tuple[str, str]] = {
    "event_id": ("text", "the deal; 16 hex digits, stable"),
    "version": ("number", "version of the deal, from 1"),
    "changed_at": ("time", "when the monitor made this version; UTC"),
    "change": ("text", "what the version brought: new, confirmed, completed, denied, terminated, revived, expired, "
               "corroborated, updated; empty for a mere sighting"),
    "headline": ("text", "the change in one line"),
    "parties": ("list", "names of the parties"),
    "roles": ("list", "one per party, empty where not known: acquirer, target, seller, investor, recipient, ..."),
    "watched": ("list", "those of the parties that are watched"),
    "deal_type": ("text", "partnership, licensing, joint_venture, supply_contract, investment, acquisition"),
    "status": ("text", "rumour, announced, completed, denied, terminated, expired"),
    "status_before": ("text", "the status before this version; empty for new"),
    "evidence_level": ("text", "single_origin, corroborated, confirmed_by_party, denied_by_party"),
    "origins": ("list", "who first said it, each independent of the others"),
    "outlets": ("list", "who published it"),
    "value": ("text", "as stated"),
    "value_number": ("real", "the value as a number, empty where it is not a sum of money"),
    "value_currency": ("text", "ISO 4217 code, empty where not stated"),
    "terms": ("list", "as stated"),
    "what": ("text", "the change in words"),
    "sentence": ("text", "the sentence that the version rests on"),
    "title": ("text", "headline of the article"),
    "url": ("text", "address of the article"),
    "published": ("time", "date of the article; UTC"),
    "first_seen": ("time", "date of the first article on the deal; UTC"),
    "capital_iq": ("number", "S&P Capital IQ Key Development type"),
    "zephyr": ("text", "Zephyr deal status"),
    "core": ("text", "CORE relation"),
}  # fmt: skip
_POLARS: dict[str, Any] = {
    "text": pl.String,
    "number": pl.Int64,
    "real": pl.Float64,
    "list": pl.List(pl.String),
    "time": pl.Datetime("us", "UTC"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def row(event: Event) -> dict[str, Any]:
    """One version of a deal as a row: plain Python values by column."""
    sum_, theirs = amount(event.value), codes(event)
    values = {
        "headline": subject(event),
        "value_number": sum_.number if sum_ else None,
        "value_currency": sum_.currency if sum_ else "",
        "sentence": event.evidence,
        "capital_iq": theirs.capital_iq,
        "zephyr": theirs.zephyr,
        "core": theirs.core,
    }
    return {
        name: _plain(values[name] if name in values else getattr(event, name), kind)
        for name, (kind, _) in COLUMNS.items()
    }


def frame(events: Iterable[Event]) -> pl.DataFrame:
    """The rows as a Polars frame."""
    schema = {name: _POLARS[kind] for name, (kind, _) in COLUMNS.items()}
    return pl.DataFrame([row(event) for event in events], schema=schema, orient="row")


def to_parquet(events: Iterable[Event]) -> bytes:
    out = io.BytesIO()
    frame(events).write_parquet(out)
    return out.getvalue()


def to_json_lines(events: Iterable[Event]) -> str:
    """One JSON object a line; times as ISO 8601."""
    return "".join(json.dumps(_json(row(event)), ensure_ascii=False) + "\n" for event in events)


def to_csv(events: Iterable[Event]) -> str:
    """RFC 4180 with a header; lists joined by "; ". What a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for event in events:
        writer.writerow([_cell(value) for value in _json(row(event)).values()])
    return out.getvalue()


def as_json(event: Event) -> dict[str, Any]:
    """One row with values that JSON knows."""
    return _json(row(event))


def _json(values: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in values.items()}


def _plain(value: Any, kind: str) -> Any:
    if kind == "text":
        return clean_line(value or "")
    if kind == "list":
        return [clean_line(item) for item in value]
    return value


def _cell(value: Any) -> str | float | int:
    if isinstance(value, int | float):
        return value
    text = "; ".join(value) if isinstance(value, list) else str(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text
