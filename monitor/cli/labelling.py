"""`label`: stored articles and alerts become labelled texts, for `evaluate` to score detection on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from monitor.cli import output
from monitor.models import DealType

if TYPE_CHECKING:
    from monitor.claims import Reading
    from monitor.config import Config
    from monitor.models import Article, Claim

# The words of the label format (design: `evaluate`): `ended` is the monitor's `terminated`.
STATUSES = ("rumour", "announced", "denied", "ended", "none")
_STATUS = {"terminated": "ended", "completed": "announced"}


@click.command()
@click.argument("what", metavar="URL|ID")
@click.option("--right", is_flag=True, help="What detection says of it is right.")
@click.option("--none", "nothing", is_flag=True, help="It tells no deal: a false alarm, or rightly silent.")
@click.option("--parties", metavar="NAMES", help='The true parties, such as "Meta, Midjourney".')
@click.option("--type", "deal_type", type=click.Choice(get_args(DealType)), help="The true type.")
@click.option("--status", type=click.Choice(STATUSES), help="The true status.")
@click.option("--note", default="", help="A word on why.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Default: beside monitor.toml."
)
@output.json_option
@click.pass_obj
def label(
    config: Path | None, what: str, right: bool, nothing: bool, parties: str | None, deal_type: str | None,
    status: str | None, note: str, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Turn a stored article or an alert into a label for `evaluate`.

    Takes the address or id of an article, or the id of a deal (each of its articles gets a label). Appends to
    labels.jsonl and texts.jsonl; what you do not correct stays as detection says.

    \b
    Example:
      $ deal-monitor label 6f1e610b74ac854c --status denied --note "the chairman said no"
      labelled: Meta and Google: partnership, denied (labels.jsonl, texts.jsonl)
    """
    from monitor.cli.explaining import stored
    from monitor.config import load_config

    if not (right or nothing or parties or deal_type or status):
        raise click.UsageError("say what is true of it: --right, --none, or --parties, --type, --status")
    loaded = load_config(config)
    folder = out or loaded.folder
    folder.mkdir(parents=True, exist_ok=True)
    reader = _reader(loaded)
    for article in stored(what, loaded):
        row = _label(article, reader.read(article), loaded)
        if nothing:
            row |= {"parties": [], "deal_type": "none", "status": "none"}
        row |= {"parties": [name.strip() for name in parties.split(",")]} if parties else {}
        row |= {"deal_type": deal_type} if deal_type else {}
        row |= {"status": status} if status else {}
        row |= {"accept_deal_type": [row["deal_type"]], "accept_status": [row["status"]], "label_note": note}
        if row["status"] != "none" and not row["parties"]:
            raise click.ClickException(f"{article.title}: detection finds no deal in it; name its --parties and --type")
        _append(folder / "labels.jsonl", row)
        _append(folder / "texts.jsonl", {"id": row["id"], "title": article.title, "body": article.text})
        if as_json:
            output.emit([row])
        else:
            told = (
                f"{' and '.join(row['parties'])}: {row['deal_type']}, {row['status']}" if row["parties"] else "no deal"
            )
            click.echo(f"labelled: {told} (labels.jsonl, texts.jsonl)")


def _reader(config: Config) -> Any:
    from monitor.claims import Reader
    from monitor.companies import catalogue
    from monitor.lexicon import load_lexicon

    return Reader(load_lexicon(config.detection.rules), config.watchlist, catalogue())


def _label(article: Article, reading: Reading, config: Config) -> dict[str, Any]:
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
        "status": _STATUS.get(claim.status, claim.status) if claim else "none",
        "ambiguous": False,
    }


def _append(file: Path, row: dict[str, Any]) -> None:
    """One line more; an older line of the same id is replaced, so that a label can be corrected."""
    kept = []
    if file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line.strip() and str(json.loads(line)["id"]) != str(row["id"])]
    text = "\n".join([*kept, json.dumps(row, ensure_ascii=False)]) + "\n"
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)
