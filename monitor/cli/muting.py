"""`mute`: what shall raise no alert, and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output

if TYPE_CHECKING:
    from monitor.config import Config

KINDS = ("company", "pair", "event", "rule", "feed")


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--until", metavar="DATE", help="The last day, such as 2026-12-31.")
@click.option("--for", "length", type=output.Since(), metavar="TIME", help="From today on: 30d, 2w.")
@click.option("--why", default="", help="A note for yourself and others.")
@click.option("--off", is_flag=True, help="Let it be heard again.")
@output.json_option
@click.pass_obj
def mute(
    config: Path | None,
    kind: str | None,
    names: tuple[str, ...],
    until: str | None,
    length: timedelta | datetime | None,
    why: str,
    off: bool,
    as_json: bool,
) -> None:
    """Silence a company, a pair, an event, a rule or a feed.

    What is muted is recorded all the same. Without arguments: lists what is muted. A pair takes two names.

    \b
    Example:
      $ deal-monitor mute pair Meta Google --for 30d --why "we know"
      muted until 2026-12-22: pair Meta and Google
    """
    from monitor.config import load_config
    from monitor.desk import mutes

    loaded = load_config(config)
    if kind is None:
        _list(loaded.mutes, as_json)
        return
    if len(names) != (2 if kind == "pair" else 1):
        raise click.UsageError(f"{kind} wants {'two names' if kind == 'pair' else 'one name'}")
    if off:
        if not mutes.unmute(loaded, names):
            raise click.ClickException(f"{kind} {' and '.join(names)}: is not muted")
        click.echo(f"heard again: {kind} {' and '.join(names)}")
        return
    end = _end(until, length)
    if doubt := _doubt(loaded, kind, names):
        output.say(f"note: {doubt}")
    mutes.mute(loaded, kind, names, end, why)
    click.echo(f"muted{f' until {end}' if end else ''}: {kind} {' and '.join(names)}")


def _doubt(config: Config, kind: str, names: tuple[str, ...]) -> str:
    """What is allowed, and may not be meant: a name that the monitor does not know; "" if all is well."""
    known = {
        "company": [c.name for c in config.watchlist],
        "pair": [c.name for c in config.watchlist],
        "feed": [f.url for f in config.feeds],
    }.get(kind, [])
    if not known or any(name in known for name in names):
        return ""
    close = get_close_matches(names[0], known, n=1)
    where = "the feed list" if kind == "feed" else "the watchlist"
    return f"{' and '.join(names)}: not in {where}" + (f"; did you mean {close[0]}? (--off undoes it)" if close else "")


def _list(mutes: tuple[object, ...], as_json: bool) -> None:
    if as_json:
        output.emit(m.model_dump(mode="json") for m in mutes)  # type: ignore[attr-defined]
        return
    rows = [(m.kind, " and ".join(m.names), m.until or "for good", m.why) for m in mutes]  # type: ignore[attr-defined]
    output.table(("KIND", "WHAT", "UNTIL", "WHY"), rows, wrap=("WHAT", "WHY"))
    if not rows:
        output.say("nothing is muted")


def _end(until: str | None, length: timedelta | datetime | None) -> date | None:
    if until:
        try:
            return date.fromisoformat(until)
        except ValueError:
            raise click.UsageError(f'"{until}" is no date; write it as 2026-12-31') from None
    if isinstance(length, timedelta):
        return (datetime.now(UTC) + length).date()
    return length.date() if length else None
