"""`check`: what is wrong in the files, which feed or channel fails, and where a deal would go."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.deals import STATUSES, OneOf
from monitor.models import DEAL_TYPES

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.models import Event


@click.command()
@click.option("--online", is_flag=True, help="Ask each feed, and say how it answers.")
@click.option("--send", is_flag=True, help="Send a test alert to each channel.")
@click.option("--company", metavar="NAME", help="Say which channel would hear of a deal of this company, and why.")
@click.option("--type", "deal_type", type=OneOf(DEAL_TYPES), metavar="TYPE", help="Type of that deal: acquisition, ...")
@click.option("--status", type=OneOf(STATUSES), metavar="STATUS", help="Its status: rumour, announced, ...")
@click.option("--value", metavar="SUM", help='Its value: "$50 million".')
@output.json_option
@click.pass_obj
def check(
    config: Path | None, online: bool, send: bool, company: str | None, deal_type: str | None, status: str | None,
    value: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Read all files and say what is wrong where.

    Then it says which channel a made-up deal would reach, and why: that deal is yours to choose. Exit code 2 for a
    mistake in a file, 1 where a feed or channel fails.

    \b
    Example:
      $ deal-monitor check --company Meta --type licensing --value '$50 million'
      a made-up alert, "Rumour: licensing deal between Meta and Example Ltd, $50 million", goes
        to console: at once; the channel takes every deal
      9 feeds, 9 companies, 1 channel: no mistake found
    """
    from monitor.config import load_config
    from monitor.lexicon import load_lexicon

    loaded = load_config(config)
    load_lexicon(loaded.detection.rules)
    _check_channels(loaded)
    doubts = _doubts(loaded)
    feeds = _ask_feeds(loaded) if online else []
    channels = send_tests(loaded) if send else []
    bad = [row for row in (*feeds, *channels) if not row["ok"]]
    if as_json:
        output.emit([{"doubts": doubts, "feeds": feeds, "channels": channels}])
    else:
        for doubt in doubts:
            output.say(f"note: {doubt}")
        if len(loaded.channels) > 1 or company or deal_type or status or value:
            _show_routes(loaded, _sample(loaded, company, deal_type, status, value))
        for row in (*feeds, *channels):
            click.echo(f"{'ok  ' if row['ok'] else 'FAIL'}  {row['name']}: {row['what']}")
        counts = ((len(loaded.feeds), "feed"), (len(loaded.watchlist), "company"), (len(loaded.channels), "channel"))
        words = ", ".join(output.several(n, word) for n, word in counts)
        output.say(f"{words}: " + (f"{len(bad)} failing" if bad else "no mistake found"))
    if bad:
        sys.exit(1)


def _doubts(config: Config) -> list[str]:
    """What is allowed, and may not be meant."""
    found: list[str] = []
    owners: dict[str, str] = {}
    for company in config.watchlist:
        for name in (company.name, *company.aliases, *company.products):
            other = owners.setdefault(name.casefold(), company.name)
            if other != company.name:
                found.append(f'"{name}" stands for {other} and for {company.name}; remove it from one of them')
    for what, empty in (
        (
            "there is no feed, so nothing will ever come; `deal-monitor feeds add URL`",
            not any(f.enabled for f in config.feeds),
        ),
        (
            "the watchlist is empty, so nothing will ever be reported; `deal-monitor companies add NAME`",
            not config.watchlist,
        ),
        ("no channel is enabled: alerts are kept, and sent nowhere", not any(c.enabled for c in config.channels)),
    ):
        if empty:
            found.append(what)
    return found


def _sample(config: Config, company: str | None, deal_type: str | None, status: str | None, value: str | None) -> Event:
    """The made-up deal: of the first company where none is named, a takeover rumour where nothing else is said."""
    from monitor.alerts import sample
    from monitor.companies import find

    names = [c.name for c in config.watchlist] or ["Your company"]
    known = find(config.watchlist, company) if company else None
    if company and known is None:
        output.say(f"note: {company} is not on the watchlist, so no deal is reported for its sake alone")
    chosen = {"deal_type": deal_type, "status": status, "value": value}
    given = {key: word for key, word in chosen.items() if word is not None}
    return sample(known.name if known else company or names[0], datetime.now(UTC), **given)  # type: ignore[arg-type]


def _show_routes(config: Config, event: Event) -> None:
    from monitor.alerts import explain, subject
    from monitor.pipeline.delivering import labels

    output.say(f'a made-up alert, "{subject(event)}", goes')
    for name, goes, why in explain(event, config.channels, datetime.now(UTC), labels(config)):
        output.say(f"  {'to' if goes else 'not to'} {name}: {why}")


def _check_channels(config: Config) -> None:
    """Raises ConfigError for a channel whose address no service knows, or whose layouts cannot be used."""
    from monitor import notify
    from monitor.errors import ConfigError, DeliveryError
    from monitor.pipeline.delivering import layouts

    for number, channel in enumerate(config.channels, 1):
        try:
            notify.check(channel.url.get_secret_value(), channel.name)
        except DeliveryError as error:
            where = f"channels[{number}].url"
            remedy = "see https://appriseit.com for the form of addresses"
            raise ConfigError(str(config.folder / "monitor.toml"), where, error.what, remedy) from None
    for one in layouts(config).values():
        one.check()


def _ask_feeds(config: Config) -> list[dict[str, object]]:
    from monitor.errors import FetchError
    from monitor.feeds import ParsedFeed, parse_many
    from monitor.fetch import Request, Response, fetch
    from monitor.pipeline.settings import fetch_settings
    from monitor.sandbox import Sandbox

    feeds = [f for f in config.feeds if f.enabled]
    output.say(f"asking {output.several(len(feeds), 'feed')} ...")
    answers = fetch([Request(url=f.url) for f in feeds], fetch_settings(config))
    good = [(f.url, a) for f, a in zip(feeds, answers, strict=True) if isinstance(a, Response)]
    with Sandbox() as sandbox:
        bodies = [(a.body, a.headers.get("content-type", ""), url) for url, a in good]
        parsed = dict(zip([url for url, _ in good], parse_many(bodies, sandbox), strict=True))
    rows: list[dict[str, object]] = []
    for feed, answer in zip(feeds, answers, strict=True):
        result = answer if isinstance(answer, FetchError) else parsed[feed.url]
        if isinstance(result, ParsedFeed):
            rows.append(
                {
                    "name": feed.url,
                    "ok": True,
                    "what": f"{output.several(len(result.entries), 'entry')}, {result.format}",
                }
            )
        else:
            rows.append({"name": feed.url, "ok": False, "what": result.what})
    return rows


def send_tests(config: Config) -> list[dict[str, object]]:
    from monitor.errors import DeliveryError
    from monitor.pipeline.delivering import send_test

    rows: list[dict[str, object]] = []
    for channel in (c for c in config.channels if c.enabled):
        try:
            send_test(channel, config)
            rows.append({"name": channel.name, "ok": True, "what": "a test alert was sent"})
        except DeliveryError as error:
            rows.append({"name": channel.name, "ok": False, "what": error.what})
    return rows
