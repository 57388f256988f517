"""`events`: the deals as known so far; and how commands choose among deals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli import output
from monitor.cli.looking import moment, open_state
from monitor.models import DEAL_TYPES

if TYPE_CHECKING:
    import polars as pl

    from monitor.config import Config
    from monitor.models import Event
    from monitor.store import Store

STATUSES = ("rumour", "announced", "completed", "denied", "terminated", "expired")
COLOURS = {"open": "yellow", "firm": "green", "off": "red"}
F = TypeVar("F", bound=Callable[..., Any])


class OneOf(click.Choice[str]):
    """One of some words; blanks and hyphens stand for underscores, and a slip is told with what was meant."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "WORD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        word = str(value).strip().lower().replace(" ", "_").replace("-", "_")
        if word in self.choices:
            return word
        close = get_close_matches(word, self.choices, n=1)
        listed = ", ".join(self.choices)
        return self.fail(
            f'"{value}" is none of {listed}' + (f"; did you mean {close[0]}?" if close else ""), param, ctx
        )


def choosing(command: F) -> F:
    """The options by which commands choose among deals: see `chosen`."""
    for option in (
        click.option("--type", "deal_type", multiple=True, type=OneOf(DEAL_TYPES), metavar="TYPE",
                     help="partnership, licensing, acquisition, ...; may be repeated."),
        click.option("--company", multiple=True, metavar="NAME", help="Party to the deal; may be repeated."),
        click.option("--since", type=output.Since(), help="Changed since then: 7d, 12h, 2026-11-01."),
    ):  # fmt: skip
        command = option(command)
    return command


def chosen(
    frame: pl.LazyFrame,
    config: Config,
    since: timedelta | datetime | None,
    company: tuple[str, ...],
    deal_type: tuple[str, ...],
) -> pl.LazyFrame:
    """The rows of `events` that fit, newest change first. A company goes by any of its names on the watchlist."""
    import polars as pl

    frame = frame.filter(pl.col("merged_into") == "")
    if since is not None:
        frame = frame.filter(pl.col("changed_at") >= moment(since, config))
    if deal_type:
        frame = frame.filter(pl.col("deal_type").is_in(list(deal_type)))
    if company:
        names = [_own_name(name, config).lower() for name in company]
        lower = pl.col("parties").list.concat("watched").list.eval(pl.element().str.to_lowercase())
        frame = frame.filter(lower.list.eval(pl.element().is_in(names)).list.any())
    return frame.sort("changed_at", descending=True)


def _own_name(name: str, config: Config) -> str:
    from monitor.companies import find

    company = find(config.watchlist, name)
    return company.name if company else name


def nothing_fits(store: Store, config: Config, company: tuple[str, ...]) -> str:
    """Why there is nothing to show: no deals at all, a company that no deal names, or options that none fits."""
    rows = store.latest("events").select("parties").collect()["parties"].to_list()
    parties = {name for row in rows for name in row or ()}
    if not parties:
        return "no deals yet; `deal-monitor poll` looks for some"
    known = {name.lower(): name for name in (*parties, *(c.name for c in config.watchlist))}
    for name in company:
        if _own_name(name, config).lower() not in known:
            close = get_close_matches(name.lower(), known, n=1)
            hint = f"; did you mean {known[close[0]]}?" if close else "; `deal-monitor events` lists all"
            return f"no deal names {name}{hint}"
    return "no deal fits; --since looks further back, fewer options find more"


@click.command()
@click.argument("event_id", required=False)
@choosing
@click.option("--status", multiple=True, type=OneOf(STATUSES), metavar="STATUS", help="rumour, announced, denied, ...")
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, help="At most so many; 0 = all.")
@output.json_option
@click.pass_obj
def events(
    config: Path | None,
    event_id: str | None,
    since: timedelta | datetime | None,
    company: tuple[str, ...],
    deal_type: tuple[str, ...],
    status: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Deals as known so far, newest change first. With an id: that deal's whole life.

    \b
    Example:
      $ deal-monitor events --since 7d --company Orrinta
      CHANGED  DEAL                                 STATUS                                ID
      2 h ago  acquisition by Aldermoor Capital     completed, confirmed by a party, 1    5b2a2e54977b7516
               from Orrinta, $640 million           outlet
    """
    import polars as pl

    from monitor.report import as_json as as_json_row

    loaded, store = open_state(config)
    if event_id:
        _life(store, loaded, event_id, as_json)
        return
    frame = chosen(store.latest("events"), loaded, since, company, deal_type)
    if status:
        frame = frame.filter(pl.col("status").is_in(list(status)))
    found: tuple[Event, ...] = store.load("events", frame.head(limit) if limit else frame)
    if as_json:
        output.emit(map(as_json_row, found))
    elif found:
        _table(found)
    if not found:
        output.say(nothing_fits(store, loaded, company))


def _table(found: tuple[Event, ...]) -> None:
    from rich.text import Text

    from monitor.alerts import card
    from monitor.alerts import status as words

    now = datetime.now(UTC)
    rows = []
    for event in found:
        told = card(event, None, UTC)
        deal = ", ".join(filter(None, (told.what, event.value)))
        tone = COLOURS[told.tone]
        rows.append((output.ago(event.changed_at, now), deal, Text(words(event), style=tone), event.event_id))
    output.table(("CHANGED", "DEAL", "STATUS", "ID"), rows, wrap=("DEAL", "STATUS"))


def _life(store: Store, config: Config, event_id: str, as_json: bool) -> None:
    """Every version of one deal, oldest first."""
    import polars as pl

    from monitor.alerts import card, what
    from monitor.alerts import status as words
    from monitor.report import as_json as as_json_row

    versions: tuple[Event, ...] = store.load("events", store.scan("events").filter(pl.col("event_id") == event_id))
    if not versions:
        raise click.ClickException(f"{event_id}: no deal has this id; `deal-monitor events` lists them")
    if as_json:
        output.emit(map(as_json_row, versions))
        return
    last, screen = versions[-1], output.stdout()
    screen.print(f"{what(last)[:1].upper()}{what(last)[1:]}{', ' + last.value if last.value else ''}", style="bold")
    screen.print(words(last))
    for event in versions:
        told = card(event, None, config.zone)
        at = f"{event.changed_at.astimezone(config.zone):%-d %b %Y %H:%M}"
        label = told.label if event.change else "Seen again"
        screen.print(f"\n{at}  {label}" + (f": {event.what}" if event.what else ""), style=COLOURS[told.tone])
        for line in (f'"{told.sentence}"', told.title, f"{told.outlet}, {told.date}", event.url):
            if line.strip('", '):
                screen.print(f"    {line}", soft_wrap=True)
