"""`explain` and `replay`: why an article raised an alert or none, and what other rules would make of stored ones."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.looking import moment, open_state

if TYPE_CHECKING:
    from rich.text import Text

    from monitor.claims import Reading
    from monitor.models import Article, Claim
    from monitor.store import Store

COLOURS = {"party": "bold green", "trigger": "bold yellow", "status": "bold magenta", "source": "bold cyan"}


@click.command()
@click.argument("what", metavar="URL|ID|-")
@click.option(
    "--watchlist", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="For a text on stdin."
)
@output.json_option
@click.pass_obj
def explain(config: Path | None, what: str, watchlist: Path | None, as_json: bool) -> None:
    """Why an article raised an alert, or none.

    Takes the address of an article, the id of an article or of a deal, or - for a text on stdin (first line: headline).

    \b
    Example:
      $ echo "Meta and Midjourney sign licensing deal" | deal-monitor explain -
      Meta and Midjourney sign licensing deal
      DEAL  Meta and Midjourney: licensing, announced, unattributed
            rules: license.noun, sign
    """
    from monitor.claims import Reader
    from monitor.cli.texts import what_to_watch
    from monitor.companies import catalogue
    from monitor.desk.articles import found, typed
    from monitor.lexicon import load_lexicon
    from monitor.store import open_store

    companies, own, loaded = what_to_watch(config, watchlist, ())
    reader = Reader(load_lexicon(own), companies, catalogue())
    if what == "-":
        articles = [typed(sys.stdin.read())]
    elif loaded is None:
        raise click.UsageError(
            "a stored article wants a configuration; leave out --watchlist, or give the text on stdin"
        )
    else:
        articles = found(what, open_store(loaded.state), loaded)
    for article in articles:
        reading = reader.read(article)
        if as_json:
            output.emit([_answer(article, reading)])
        else:
            _show(article, reading)


def _answer(article: Article, reading: Reading) -> dict[str, Any]:
    return {
        "article_id": article.article_id,
        "title": article.title,
        "url": article.url,
        "state": article.state,
        "detail": article.detail,
        "claims": output.plain(reading.claims),
        "near_misses": output.plain(reading.near_misses),
    }


def _show(article: Article, reading: Reading) -> None:
    screen = output.stdout()
    screen.print(article.title, style="bold")
    where = ", ".join(filter(None, (article.outlet, article.url, f"read as {article.state}", article.detail)))
    screen.print(where, style="dim", soft_wrap=True)
    for claim in reading.claims:
        details = (claim.deal_type.replace("_", " "), claim.status, claim.sourcing.replace("_", " "))
        origin = f", per {claim.origin}" if claim.origin else ""
        value = f", {claim.value}" if claim.value else ""
        screen.print(f"\nDEAL  {' and '.join(claim.parties)}: {', '.join(details)}{origin}{value}", style="bold")
        screen.print(_marked(claim), soft_wrap=True)
        screen.print(f"      rules: {', '.join(claim.rules)}", style="dim", soft_wrap=True)
    for miss in reading.near_misses:
        screen.print(f"\nNO    {miss.why}", style="yellow")
        screen.print(f"      {miss.sentence}", soft_wrap=True)
        if miss.rules:
            screen.print(f"      rules: {', '.join(miss.rules)}", style="dim", soft_wrap=True)
    if not reading.claims and not reading.near_misses:
        screen.print("\nNO    no watched company stands beside a deal word", style="yellow")


def _marked(claim: Claim) -> Text:
    """The evidence with its spans in colour."""
    from rich.text import Text

    text = Text(f"      {claim.evidence}")
    for span in claim.spans:
        start, end, label = span.split(":", 2)
        text.stylize(COLOURS.get(label.partition(":")[0], "bold"), 6 + int(start), 6 + int(end))
    return text


@click.command()
@click.option("--since", type=output.Since(), default="30d", help="Default: 30d.")
@click.option("--rules", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="Rules to try.")
@click.option("--watchlist", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Watchlist to try.")
@output.json_option
@click.pass_obj
def replay(
    config: Path | None,
    since: timedelta | datetime,
    rules: tuple[Path, ...],
    watchlist: Path | None,
    as_json: bool,
) -> None:
    """Read stored articles again under changed rules; say what would change.

    Nothing is written and nothing is sent.

    \b
    Example:
      $ deal-monitor replay --since 30d --watchlist watchlist.toml
      34 articles read again: 0 claims more, 0 fewer, 0 changed
    """
    import polars as pl

    from monitor.claims import Reader
    from monitor.companies import catalogue
    from monitor.config import load_watchlist
    from monitor.lexicon import load_lexicon

    loaded, store = open_state(config)
    companies = load_watchlist(watchlist) if watchlist else loaded.watchlist
    reader = Reader(load_lexicon((*loaded.detection.rules, *rules)), companies, catalogue())
    wanted = store.latest("articles").filter(
        (pl.col("read_at") >= moment(since, loaded)) & pl.col("retry_at").is_null()
    )
    articles: tuple[Article, ...] = store.load("articles", wanted)
    before = _claims(store, {a.article_id for a in articles})
    counts = {"+": 0, "-": 0, "~": 0}
    with output.counted("articles", articles, len(articles)) as taken:
        for article in taken:
            for sign, claim in _differences(before.get(article.article_id, {}), reader.read(article).claims):
                counts[sign] += 1
                _show_difference(sign, claim, article, as_json)
    more, fewer, changed = counts.values()
    output.say(
        f"{output.several(len(articles), 'article')} read again: {output.several(more, 'claim')} more, {fewer} fewer, "
        f"{changed} changed"
    )


def _show_difference(sign: str, claim: Claim, article: Article, as_json: bool) -> None:
    if as_json:
        output.emit([{"sign": sign, **output.plain(claim)}])
        return
    deal = f"{' and '.join(claim.parties)}: {claim.deal_type.replace('_', ' ')}, {claim.status}"
    click.echo(f"{sign} {deal}   ({article.outlet}: {article.title})")


def _claims(store: Store, article_ids: set[str]) -> dict[str, dict[int, Claim]]:
    import polars as pl

    frame = store.latest("claims").filter(pl.col("article_id").is_in(list(article_ids)))
    found: dict[str, dict[int, Claim]] = {}
    for claim in store.load("claims", frame):
        found.setdefault(claim.article_id, {})[claim.claim_key] = claim
    return found


def _differences(before: dict[int, Claim], after: tuple[Claim, ...]) -> list[tuple[str, Claim]]:
    """What is more (+), fewer (-) or of another type or status (~)."""
    now = {c.claim_key: c for c in after}
    more = [("+", c) for key, c in now.items() if key not in before]
    fewer = [("-", c) for key, c in before.items() if key not in now]
    changed = [
        ("~", c)
        for key, c in now.items()
        if key in before and (c.deal_type, c.status) != (before[key].deal_type, before[key].status)
    ]
    return more + fewer + changed
