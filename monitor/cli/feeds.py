"""`feeds`: how the subscriptions do; add, remove, import, export them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.looking import open_state

if TYPE_CHECKING:
    from monitor.config import Config, FeedConfig
    from monitor.models import FeedState
    from monitor.store import Store


@click.group(invoke_without_command=True)
@click.option("--failing", is_flag=True, help="Only those that are not well.")
@output.json_option
@click.pass_context
def feeds(ctx: click.Context, failing: bool, as_json: bool) -> None:
    """The feeds and how they are; add, remove, import, export.

    \b
    Example:
      $ deal-monitor feeds --failing
      FEED                             HEALTH   POLLED      NEXT    NEWS   WHY
      http://127.0.0.1:38761/quietqua  failing  20 min ago  in 2 h  never  4 times in a row: the server
      rter/rss.xml                                                         answered 404: not found
    """
    if ctx.invoked_subcommand:
        return
    loaded, store = open_state(ctx.obj)
    rows = [row for row in _health(loaded, store) if not (failing and row[2] in ("ok", "new", "off"))]
    if as_json:
        output.emit(_answer(*row) for row in rows)
        return
    now = datetime.now(UTC)
    output.table(
        ("FEED", "HEALTH", "POLLED", "NEXT", "NEWS", "WHY"),
        [
            (
                feed.url,
                word,
                output.ago(state.polled_at if state else None, now),
                output.ago(state.next_due, now) if state and state.next_due else "",
                output.ago(state.news_at if state else None, now),
                why,
            )
            for feed, state, word, why in rows
        ],
        wrap=("FEED", "WHY"),
    )
    if failing and not rows:
        output.say("all feeds are well")


def _health(config: Config, store: Store) -> list[tuple[FeedConfig, FeedState | None, str, str]]:
    """Each feed, what is known of it, how it is, and why."""
    from monitor.models import stable_key
    from monitor.pipeline.settings import manners
    from monitor.schedule import health

    states: dict[int, FeedState] = store.rows("feeds", [stable_key(f.url) for f in config.feeds])
    now = datetime.now(UTC)
    found = []
    for feed in config.feeds:
        state = states.get(stable_key(feed.url))
        word, why = health(state, now, manners(config)) if state else ("new", "not asked yet")
        found.append((feed, state, word if feed.enabled else "off", why))
    return found


def _answer(feed: Any, state: FeedState | None, word: str, why: str) -> dict[str, Any]:
    known: dict[str, Any] = output.plain(state) if state else {}
    return {
        **known,
        "url": feed.url,
        "title": feed.title or known.get("title", ""),
        "tags": list(feed.tags),
        "enabled": feed.enabled,
        "health": word,
        "why": why,
    }


def _list_file(config: Config) -> Path:
    """The feed list that commands write to: the first that monitor.toml names."""
    from monitor.config import Settings
    from monitor.config.files import FILE, read_toml

    return config.folder / read_toml(config.folder / FILE, Settings).feeds[0]


@feeds.command("add")
@click.argument("url")
@click.option("--tag", multiple=True, help="A label of yours; may be repeated.")
@click.option("--offline", is_flag=True, help="Take the address as it is; ask nobody.")
@click.pass_obj
def feeds_add(config: Path | None, url: str, tag: tuple[str, ...], offline: bool) -> None:
    """Subscribe to a feed, or to the feed that a web page announces.

    \b
    Example:
      $ deal-monitor feeds add https://example.org/news
      https://example.org/feed.xml: Example news, 20 entries; added to feeds.toml
    """
    from monitor.config import load_config
    from monitor.config.editing import append_table

    loaded = load_config(config)
    found, title, what = (url, "", "not asked") if offline else _look_up(loaded, url)
    if any(f.url == found for f in loaded.feeds):
        raise click.ClickException(f"{found}: is in the list already")
    values: dict[str, Any] = {"url": found}
    values |= {"title": title} if title else {}
    values |= {"tags": list(tag)} if tag else {}
    file = _list_file(loaded)
    append_table(file, "feeds", values)
    load_config(config)  # a mistake would be ours: say so at once
    click.echo(f"{found}: {what}; added to {file.name}")


def _look_up(config: Config, url: str) -> tuple[str, str, str]:
    """(address, title, what it holds) of the feed at or behind an address."""
    from monitor.errors import FetchError
    from monitor.feeds import ParsedFeed, discover, guesses, parse_many
    from monitor.fetch import Request, fetch
    from monitor.pipeline.settings import fetch_settings
    from monitor.sandbox import Sandbox

    settings = fetch_settings(config)
    tried = [url]
    with Sandbox(workers=1) as sandbox:
        for place in tried:
            (answer,) = fetch([Request(url=place)], settings)
            if isinstance(answer, FetchError):
                if place == url:
                    raise answer
                continue
            (parsed,) = parse_many([(answer.body, answer.headers.get("content-type", ""), place)], sandbox)
            if isinstance(parsed, ParsedFeed):
                return place, parsed.title, f"{parsed.title or 'no title'}, {len(parsed.entries)} entries"
            if place == url:
                tried += [f.url for f in discover(answer.body, answer.final_url)][:5] or list(guesses(url))
    raise click.ClickException(f"{url}: no feed here, and none found nearby; look for the site's RSS or Atom link")


@feeds.command("remove")
@click.argument("url")
@click.pass_obj
def feeds_remove(config: Path | None, url: str) -> None:
    """Take a feed out of the list. What is known of it stays.

    \b
    Example:
      $ deal-monitor feeds remove https://example.org/feed.xml
      Error: https://example.org/feed.xml: is not in feeds.toml; `deal-monitor feeds` lists them
    """
    from monitor.config import load_config
    from monitor.config.editing import cut_table

    file = _list_file(load_config(config))
    if not cut_table(file, "feeds", "url", url):
        raise click.ClickException(f"{url}: is not in {file.name}; `deal-monitor feeds` lists them")
    click.echo(f"removed from {file.name}")


@feeds.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def feeds_import(config: Path | None, file: Path) -> None:
    """Take over the subscriptions of an OPML file; folders become tags.

    \b
    Example:
      $ deal-monitor feeds import subscriptions.opml
      0 feeds added to feeds.toml, 9 were there already
    """
    from monitor.config import load_config
    from monitor.config.editing import append_table
    from monitor.feeds.opml import read_opml

    loaded = load_config(config)
    known = {f.url for f in loaded.feeds}
    outlines = read_opml(file.read_bytes(), str(file))
    fresh = [o for o in outlines if o.url not in known]
    target = _list_file(loaded)
    for outline in fresh:
        values: dict[str, Any] = {"url": outline.url}
        values |= {"title": outline.title} if outline.title else {}
        values |= {"tags": list(outline.tags)} if outline.tags else {}
        append_table(target, "feeds", values)
    click.echo(f"{len(fresh)} feeds added to {target.name}, {len(outlines) - len(fresh)} were there already")


@feeds.command("export")
@click.pass_obj
def feeds_export(config: Path | None) -> None:
    """Print the subscriptions as OPML.

    \b
    Example:
      $ deal-monitor feeds export
      <?xml version="1.0" encoding="UTF-8"?>
    """
    from monitor.config import load_config
    from monitor.feeds.opml import Outline, write_opml

    listed = load_config(config).feeds
    click.echo(write_opml(Outline(url=f.url, title=f.title, tags=f.tags) for f in listed), nl=False)
