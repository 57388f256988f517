"""`export`: what is known, in the formats of other programs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.deals import choosing, chosen, nothing_fits
from monitor.cli.looking import open_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.models import Event

FORMATS = ("csv", "jsonl", "parquet", "atom", "jsonfeed", "ical")


def _columns(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Print what the columns of the tables hold, and end."""
    if not wanted:
        return
    from monitor.report import COLUMNS
    from monitor.report.crosswalk import CAPITAL_IQ

    output.table(
        ("COLUMN", "KIND", "WHAT IT HOLDS"), [(n, k, w) for n, (k, w) in COLUMNS.items()], wrap=("WHAT IT HOLDS",)
    )
    codes = [(str(number), name) for number, name in CAPITAL_IQ.items()]
    click.echo("\nS&P Capital IQ Key Development types in capital_iq:")
    output.table(("CODE", "NAME"), codes)
    ctx.exit()


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(FORMATS))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Else: standard output.")
@choosing
@click.option("--changes", is_flag=True, help="Every change, not just how each deal stands now (feeds always do).")
@click.option(
    "--columns",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_columns,
    help="Say what the columns of csv, jsonl and parquet hold, and end.",
)
@click.pass_obj
def export(
    config: Path | None,
    format_: str,
    out: Path | None,
    since: timedelta | datetime | None,
    company: tuple[str, ...],
    deal_type: tuple[str, ...],
    changes: bool,
) -> None:
    """Deals for other programs.

    FORMAT is csv, jsonl, parquet (tables with the codes of other vendors), atom, jsonfeed (feeds of changes) or ical (a
    calendar of expected closings, where stated).

    \b
    Example:
      $ deal-monitor export csv --since 30d --out deals.csv
      12 deals written to deals.csv
    """
    import polars as pl

    loaded, store = open_state(config)
    every = changes or format_ in ("atom", "jsonfeed")
    frame = store.scan("events") if every else store.latest("events")
    if every:
        frame = frame.filter(pl.col("change").is_not_null())
    events: list[Event] = list(store.load("events", chosen(frame, loaded, since, company, deal_type)))
    if not events:
        output.say(nothing_fits(store, loaded, company))
    made = _made(format_, events)
    if out is None:
        sys.stdout.buffer.write(made)
        sys.stdout.flush()
    else:
        out.write_bytes(made)
        click.echo(f"{len(events)} {'changes' if every else 'deals'} written to {out}")


def _made(format_: str, events: Sequence[Event]) -> bytes:
    from monitor import report

    title = "Deal monitor: changes"
    match format_:
        case "csv":
            return report.to_csv(events).encode()
        case "jsonl":
            return report.to_json_lines(events).encode()
        case "parquet":
            return report.to_parquet(events)
        case "atom":
            return report.to_atom(report.choose(events), title, now=datetime.now(UTC))
        case "jsonfeed":
            return report.to_json_feed(report.choose(events), title).encode()
        case _:
            return report.to_ical(events, datetime.now(UTC)).encode()
