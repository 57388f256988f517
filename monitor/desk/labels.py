"""Labels: what is true of an article, as a person says it, in the two files from which `evaluate` scores detection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.claims import Reader, Reading
from monitor.config import Config
from monitor.errors import NotKnown
from monitor.models import Article, Claim

# The words of the label format (design: `evaluate`): `ended` is the monitor's `terminated`.
STATUSES = ("rumour", "announced", "denied", "ended", "none")
_STATUS = {"terminated": "ended", "completed": "announced", "expired": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a person says of an article; what is left empty stays as detection says."""

    nothing: bool = False  # it tells no deal
    parties: tuple[str, ...] = ()
    deal_type: str = ""
    status: str = ""  # one of STATUSES
    note: str = ""


def label_status(status: str) -> str:
    """A status of the monitor in the words of the label format."""
    return _STATUS.get(status, status)


def label(
    articles: Iterable[Article], truth: Truth, reader: Reader, config: Config, folder: Path
) -> list[dict[str, Any]]:
    """Label the articles in labels.jsonl and texts.jsonl of the folder, and answer the labels.

    An older label of the same article is replaced. Raises NotKnown for a deal of which detection knows no parties.
    """
    rows = []
    for article in articles:
        row = _row(article, reader.read(article), config) | _corrections(truth)
        row |= {"accept_deal_type": [row["deal_type"]], "accept_status": [row["status"]], "label_note": truth.note}
        if row["status"] != "none" and not row["parties"]:
            raise NotKnown(f"{article.title}: detection finds no deal in it; name its --parties and --type")
        folder.mkdir(parents=True, exist_ok=True)
        _put(folder / "labels.jsonl", row)
        _put(folder / "texts.jsonl", {"id": row["id"], "title": article.title, "body": article.text})
        rows.append(row)
    return rows


def known(folder: Path, article_ids: Collection[str]) -> list[dict[str, Any]]:
    """The labels of these articles."""
    file = folder / "labels.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = [json.loads(line) for line in lines if any(article_id in line for article_id in article_ids)]
    return [row for row in rows if row["id"] in article_ids]


def _corrections(truth: Truth) -> dict[str, Any]:
    row: dict[str, Any] = {"parties": [], "deal_type": "none", "status": "none"} if truth.nothing else {}
    row |= {"parties": list(truth.parties)} if truth.parties else {}
    row |= {"deal_type": truth.deal_type} if truth.deal_type else {}
    return row | ({"status": truth.status} if truth.status else {})


def _row(article: Article, reading: Reading, config: Config) -> dict[str, Any]:
    """The label as detection would write it: its first claim, or none."""
    claim: Claim | None = reading.claims[0] if reading.claims else None
    text = f"{article.title}\n{article.text}".lower()
    named = [c for c in config.watchlist if any(form.lower() in text for form in (c.name, *c.aliases, *c.products))]
    watched = [c for c in named if claim is None or c.name in claim.parties] or named
    return {
        "id": article.article_id,
        "published": article.published.isoformat() if article.published else "",
        "parties": list(claim.parties) if claim else [],
        "watch": [{"name": c.name, "aliases": [*c.aliases], "products": [*c.products]} for c in watched],
        "deal_type": claim.deal_type if claim else "none",
        "status": label_status(claim.status) if claim else "none",
        "ambiguous": False,
    }


def _put(file: Path, row: dict[str, Any]) -> None:
    """One line more; an older line of the same id is replaced, so that a label can be corrected."""
    kept = []
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.strip() and str(json.loads(line)["id"]) != str(row["id"])]
    text = "\n".join([*kept, json.dumps(row, ensure_ascii=False)]) + "\n"
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
