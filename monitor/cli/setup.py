"""`init` and `check`: from nothing to files that are right."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output

if TYPE_CHECKING:
    from monitor.config import Config

FILES = ("monitor.toml", "feeds.toml", "watchlist.toml")
SECRET = "channel.secret"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--company", multiple=True, metavar="NAME", help="Watch this one, from the catalogue; may be repeated.")
@click.option("--tag", multiple=True, metavar="TAG", help="Read only the shipped feeds with this tag; may be repeated.")
@click.option("--channel", metavar="ADDRESS", help="Where alerts go: an apprise address. Kept in a file of its own.")
@click.option("--time-zone", metavar="NAME", help="For times in alerts and digests, such as Europe/Berlin.")
@click.option("--yes", is_flag=True, help="Ask nothing; take the starter lists for what is not given.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def init(
    folder: Path,
    company: tuple[str, ...],
    tag: tuple[str, ...],
    channel: str | None,
    time_zone: str | None,
    yes: bool,
    force: bool,
) -> None:
    """Write monitor.toml, feeds.toml and watchlist.toml.

    On a terminal it asks four questions, each of which may be left to its default. The files explain themselves:
    starter lists of public feeds and of companies, to be made your own.

    \b
    Example:
      $ deal-monitor init deals --company Meta --time-zone Europe/Berlin
      deals/monitor.toml  deals/feeds.toml  deals/watchlist.toml
      next: deal-monitor --config deals check --send
    """
    from monitor.config import seed

    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise click.ClickException(
            f"{folder / there[0]}: is there already; name another folder, or --force replaces it"
        )
    if sys.stdin.isatty() and not (yes or company or tag or channel or time_zone):
        company, tag, channel, time_zone = _questions()
    settings = _settings(seed("monitor.toml").read_text(encoding="utf-8"), time_zone, channel)
    watchlist, feeds = _watchlist(company), _feeds(tag)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, (settings, feeds, watchlist), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    if channel:
        secret = folder / SECRET
        secret.touch(mode=0o600)
        secret.write_text(channel + "\n", encoding="utf-8")
    click.echo("  ".join(str(folder / name) for name in FILES))
    option = "" if folder == Path() else f"--config {folder} "
    output.say(f"next: deal-monitor {option}check{' --send' if channel else ''}, then deal-monitor {option}poll")


def _questions() -> tuple[tuple[str, ...], tuple[str, ...], str | None, str | None]:
    """Companies, tags of feeds, channel, time zone; an empty answer leaves the default."""
    split = str.maketrans({";": ","})
    names = click.prompt("Companies to watch, with commas (empty: the starter list)", default="", show_default=False)
    tags = click.prompt(f"Kinds of feeds: {', '.join(_tags())} (empty: all)", default="", show_default=False)
    channel = click.prompt(
        "Where alerts go, an apprise address such as slack://... (empty: this terminal)", default="", show_default=False
    )
    zone = click.prompt("Your time zone, such as Europe/Berlin", default="UTC")
    listed = [tuple(filter(None, map(str.strip, text.translate(split).split(",")))) for text in (names, tags)]
    return listed[0], listed[1], channel.strip() or None, zone.strip()


def _tags() -> list[str]:
    from monitor.config import load_feeds, seed

    return sorted({tag for feed in load_feeds(seed("feeds.toml")) for tag in feed.tags})


def _watchlist(names: tuple[str, ...]) -> str:
    """The starter list; or its explanations with the catalogue's entries of the named companies."""
    from monitor.cli.companies import entry, find
    from monitor.config import seed
    from monitor.config.editing import table

    text = seed("watchlist.toml").read_text(encoding="utf-8")
    if not names:
        return text
    head = text.partition("\n[[companies]]")[0] + "\n"
    return head + "\n".join(table("companies", entry(find(name), ())) for name in names)


def _feeds(tags: tuple[str, ...]) -> str:
    """The starter list; or its explanations with the feeds that have one of the tags."""
    from monitor.config import load_feeds, seed
    from monitor.config.editing import table

    text = seed("feeds.toml").read_text(encoding="utf-8")
    if not tags:
        return text
    chosen = [f for f in load_feeds(seed("feeds.toml")) if set(f.tags) & set(tags)]
    if not chosen:
        raise click.UsageError(f"no shipped feed has the tag {', '.join(tags)}; there are: {', '.join(_tags())}")
    head = text.partition("# ---")[0]
    rows = [f.model_dump(include={"url", "title", "tags", "full_text"}, exclude_defaults=True) for f in chosen]
    return head + "\n".join(table("feeds", row) for row in rows)


def _settings(text: str, time_zone: str | None, channel: str | None) -> str:
    if time_zone:
        from zoneinfo import available_timezones

        if time_zone not in available_timezones():
            raise click.UsageError(f'"{time_zone}" is not a time zone; use a name such as Europe/Berlin')
        text = text.replace('time_zone = "UTC"', f'time_zone = "{time_zone}"', 1)
    if channel:
        if "://" not in channel:
            raise click.UsageError("--channel wants an address such as slack://... or mailtos://...")
        text = text.replace(
            'name = "console"\nurl = "console://"', f'name = "desk"\nurl = "file:{SECRET}"  # keep it to yourself', 1
        )
    return text


@click.command()
@click.option("--online", is_flag=True, help="Ask each feed, and say how it answers.")
@click.option("--send", is_flag=True, help="Send a test alert to each channel.")
@output.json_option
@click.pass_obj
def check(config: Path | None, online: bool, send: bool, as_json: bool) -> None:
    """Read all files and say what is wrong where.

    Exit code 2 for a mistake in a file, 1 where a feed or channel fails.

    \b
    Example:
      $ deal-monitor check
      98 feeds, 63 companies, 1 channel, 214 rules: no mistake found
    """
    from monitor.config import load_config
    from monitor.lexicon import load_lexicon

    loaded = load_config(config)
    load_lexicon(loaded.detection.rules)
    _check_channels(loaded)
    doubts = _doubts(loaded)
    feeds = _ask_feeds(loaded) if online else []
    channels = _send_tests(loaded) if send else []
    bad = [row for row in (*feeds, *channels) if not row["ok"]]
    if as_json:
        output.emit([{"doubts": doubts, "feeds": feeds, "channels": channels}])
    else:
        for doubt in doubts:
            output.say(f"note: {doubt}")
        for line in _routes(loaded):
            output.say(line)
        for row in (*feeds, *channels):
            click.echo(f"{'ok  ' if row['ok'] else 'FAIL'}  {row['name']}: {row['what']}")
        counts = ((len(loaded.feeds), "feed"), (len(loaded.watchlist), "company"), (len(loaded.channels), "channel"))
        words = ", ".join(f"{n} {word}" if n == 1 else f"{n} {plural(word)}" for n, word in counts)
        output.say(f"{words}: " + (f"{len(bad)} failing" if bad else "no mistake found"))
    if bad:
        sys.exit(1)


def plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


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
        ("there is no feed, so nothing will ever come", not any(f.enabled for f in config.feeds)),
        ("the watchlist is empty, so nothing will ever be reported", not config.watchlist),
        ("no channel is enabled: alerts are kept, and sent nowhere", not any(c.enabled for c in config.channels)),
    ):
        if empty:
            found.append(what)
    return found


def _routes(config: Config) -> list[str]:
    """Where a made-up rumour of the first company would go, where channels choose at all."""
    from monitor.alerts import explain, sample
    from monitor.pipeline.delivering import labels

    if not config.watchlist or len(config.channels) < 2:
        return []
    company, now = config.watchlist[0].name, datetime.now(UTC)
    told = explain(sample(company, now), config.channels, now, labels(config))
    head = f'a $1 billion takeover rumour "{company} to buy Example Ltd" would go'
    return [f"{head} to {name}: {why}" if goes else f"{head} not to {name}: {why}" for name, goes, why in told]


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
    output.say(f"asking {len(feeds)} feeds ...")
    answers = fetch([Request(url=f.url) for f in feeds], fetch_settings(config))
    good = [(f.url, a) for f, a in zip(feeds, answers, strict=True) if isinstance(a, Response)]
    with Sandbox() as sandbox:
        bodies = [(a.body, a.headers.get("content-type", ""), url) for url, a in good]
        parsed = dict(zip([url for url, _ in good], parse_many(bodies, sandbox), strict=True))
    rows: list[dict[str, object]] = []
    for feed, answer in zip(feeds, answers, strict=True):
        result = answer if isinstance(answer, FetchError) else parsed[feed.url]
        if isinstance(result, ParsedFeed):
            rows.append({"name": feed.url, "ok": True, "what": f"{len(result.entries)} entries, {result.format}"})
        else:
            rows.append({"name": feed.url, "ok": False, "what": result.what})
    return rows


def _send_tests(config: Config) -> list[dict[str, object]]:
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
