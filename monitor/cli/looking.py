"""`alerts`, `metrics`, `status`: what the monitor said to whom, and whether all is well."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.models import Delivery, Event
    from monitor.store import Store


def open_state(config: Path | None) -> tuple[Config, Store]:
    from monitor.config import load_config
    from monitor.store import open_store

    loaded = load_config(config)
    return loaded, open_store(loaded.state)


def moment(since: timedelta | datetime, config: Config) -> datetime:
    """A time given back from now, or as a date by the user's clock."""
    if isinstance(since, timedelta):
        return datetime.now(UTC) - since
    return since.replace(tzinfo=config.zone) if since.tzinfo is None else since


@click.group(invoke_without_command=True)
@click.option("--since", type=output.Since(), default="7d", help="Default: 7d.")
@click.option("--channel", metavar="NAME", help="Of this channel only.")
@click.option("--dead", is_flag=True, help="Only those given up.")
@click.option("--all", "everything", is_flag=True, help="Also those that the channel does not want, with the reason.")
@output.json_option
@click.pass_context
def alerts(
    ctx: click.Context, since: timedelta | datetime, channel: str | None, dead: bool, everything: bool, as_json: bool
) -> None:
    """What was sent where, and what was not. `alerts retry` sends again what was given up.

    \b
    Example:
      $ deal-monitor alerts --since 7d
      WHEN     CHANNEL  STATE  TRY  CHANGE        DEAL                              DETAIL
      2 h ago  console  sent   1    confirmed     Velmora and Cendrix
    """
    if ctx.invoked_subcommand:
        return
    import polars as pl

    loaded, store = open_state(ctx.obj)
    _known_channel(loaded, channel)
    frame = store.latest("deliveries").filter(pl.col("at") >= moment(since, loaded)).sort("at", descending=True)
    if channel:
        frame = frame.filter(pl.col("channel") == channel)
    if dead:
        frame = frame.filter(pl.col("state") == "dead")
    elif not everything:
        frame = frame.filter(pl.col("state") != "skipped")
    rows: tuple[Delivery, ...] = store.load("deliveries", frame)
    if as_json:
        output.emit(rows)
        return
    deals = _versions(store, rows)
    now = datetime.now(UTC)
    shown = []
    for row in rows:
        event = deals.get((row.event_id, row.version))
        deal = " and ".join(event.parties) if event else _other(row.event_id)
        change = (event.change or "") if event else ""
        shown.append((output.ago(row.at, now), row.channel, row.state, row.attempt, change, deal, row.detail))
    output.table(("WHEN", "CHANNEL", "STATE", "TRY", "CHANGE", "DEAL", "DETAIL"), shown, wrap=("DEAL", "DETAIL"))
    if not rows:
        output.say("nothing was sent in this time; --since looks further back, --all shows what was held back and why")


def _other(what: str) -> str:
    """What a delivery carried that is about no deal."""
    kind, _, name = what.partition(":")
    return {"digest": "the day's digest", "channel": f"word that {name} takes no alerts"}.get(kind, what)


def _known_channel(config: Config, name: str | None) -> None:
    names = [c.name for c in config.channels]
    if name and name not in names:
        raise click.UsageError(f"no channel {name}; there are: {', '.join(names)}")


def _versions(store: Store, rows: tuple[Delivery, ...]) -> dict[tuple[str, int], Event]:
    import polars as pl

    ids = {r.event_id for r in rows}
    found: tuple[Event, ...] = store.load("events", store.scan("events").filter(pl.col("event_id").is_in(list(ids))))
    return {(e.event_id, e.version): e for e in found}


@alerts.command("retry")
@click.option("--channel", default="", metavar="NAME", help="Of this channel only.")
@click.pass_obj
def alerts_retry(config: Path | None, channel: str) -> None:
    """Make alerts that were given up due again; the next poll sends them.

    \b
    Example:
      $ deal-monitor alerts retry
      0 alerts are due again
    """
    from monitor.alerts import retry

    loaded, store = open_state(config)
    _known_channel(loaded, channel)
    rows = retry(store.load("deliveries", store.latest("deliveries")), datetime.now(UTC), channel)
    if rows:
        store.append("deliveries", rows)
    click.echo(f"{len(rows)} {'alert is' if len(rows) == 1 else 'alerts are'} due again")


@alerts.command("preview")
@click.argument("event_id", required=False)
@click.option("--channel", metavar="NAME", help="As this channel, or this kind (slack, mail, teams, ntfy), shows it.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep the mail's HTML.")
@click.pass_obj
def alerts_preview(config: Path | None, event_id: str | None, channel: str | None, html: Path | None) -> None:
    """Show how the newest change, or that of one deal, looks in a channel.

    Before the first change it shows a made-up one. Kinds: text, mail, slack, teams, discord, mattermost, ntfy.

    \b
    Example:
      $ deal-monitor alerts preview --channel ntfy
      Completed: acquisition by Aldermoor Capital from Orrinta, $640 million
      completed, confirmed by a party, 1 outlet
      “Orrinta Completes Sale of Tower Unit to Aldermoor Capital”
      Pressroom Direct: http://127.0.0.1:41251/pressroom/2026/11/27/orrinta-towers-closed.html
    """
    from monitor.alerts import form_of, render, sample
    from monitor.alerts.render import KINDS
    from monitor.pipeline.delivering import layouts

    loaded, store = open_state(config)
    target = next((c for c in loaded.channels if channel in (None, c.name)), None)
    if target is None and channel not in KINDS:
        names = ", ".join((*(c.name for c in loaded.channels), *KINDS))
        raise click.UsageError(f"no channel or kind {channel}; there are: {names}")
    versions = _told(store, event_id)
    if event_id and not versions:
        raise click.ClickException(f"{event_id}: no deal has this id; `deal-monitor events` lists them")
    if not versions:
        output.say("no change yet; this one is made up")
        company = loaded.watchlist[0].name if loaded.watchlist else "Your company"
        versions = (sample(company, datetime.now(UTC)),)
    event = versions[-1]
    first = next((e for e in versions[:-1] if e.event_id == event.event_id), None)
    form = form_of(target.url.get_secret_value()) if target else KINDS[channel or ""]
    looks = layouts(loaded)
    made = render(event, first, form, looks[target.name] if target else next(iter(looks.values()), None))
    shown = made.body if made.body.startswith((made.subject, "**")) else f"{made.subject}\n\n{made.body}"
    click.echo(shown)
    if html and made.html:
        html.write_text(made.html, encoding="utf-8")
        output.say(f"{html}: open it in a browser")
    elif made.html:
        output.say("mail carries the same as HTML: --html FILE keeps it for a look in the browser")


def _told(store: Store, event_id: str | None) -> tuple[Event, ...]:
    """The changes of one deal, or the newest of all, oldest first."""
    import polars as pl

    frame = store.scan("events").filter(pl.col("change").is_not_null())
    if event_id:
        frame = frame.filter(pl.col("event_id") == event_id)
    found: tuple[Event, ...] = store.load("events", frame.tail(50))
    return found


@click.command()
@click.pass_obj
def metrics(config: Path | None) -> None:
    """Figures for Prometheus.

    With `metrics = "deal-monitor.prom"` in monitor.toml they are written to that file after each run.

    \b
    Example:
      $ deal-monitor metrics
      # HELP deal_monitor_feeds Feeds by how they do.
      # TYPE deal_monitor_feeds gauge
      deal_monitor_feeds{health="failing"} 2
      deal_monitor_feeds{health="ok"} 7
    """
    from monitor.pipeline.health import look
    from monitor.pipeline.metrics import exposition

    loaded, store = open_state(config)
    click.echo(exposition(look(loaded, store, datetime.now(UTC))), nl=False)


@click.command()
@output.json_option
@click.pass_obj
def status(config: Path | None, as_json: bool) -> None:
    """Is all well? Exit code 1 if not.

    \b
    Example:
      $ deal-monitor status
      feeds: 9, of them 7 ok, 2 failing
      waiting: 1 page, 0 alerts; given up: 0 alerts
    """
    from monitor.pipeline.health import look

    loaded, store = open_state(config)
    state = look(loaded, store, datetime.now(UTC))
    if as_json:
        output.emit([state.as_dict()])
    else:
        click.echo(state.text())
    if state.troubles:
        sys.exit(1)
