"""`label`: stored articles and alerts become labelled texts, for `evaluate` to score detection on."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from monitor.cli import output
from monitor.models import DealType

STATUSES = ("rumour", "announced", "denied", "ended", "none")  # as in monitor.desk.labels, which loads slowly


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
    from monitor.config import load_config
    from monitor.desk import labels
    from monitor.desk.articles import found, reader
    from monitor.store import open_store

    if not (right or nothing or parties or deal_type or status):
        raise click.UsageError("say what is true of it: --right, --none, or --parties, --type, --status")
    loaded = load_config(config)
    names = tuple(name.strip() for name in parties.split(",")) if parties else ()
    truth = labels.Truth(nothing=nothing, parties=names, deal_type=deal_type or "", status=status or "", note=note)
    articles = found(what, open_store(loaded.state), loaded)
    for row in labels.label(articles, truth, reader(loaded), loaded, out or loaded.folder):
        if as_json:
            output.emit([row])
            continue
        told = f"{' and '.join(row['parties'])}: {row['deal_type']}, {row['status']}" if row["parties"] else "no deal"
        click.echo(f"labelled: {told} (labels.jsonl, texts.jsonl)")
