"""`companies`: the catalogue that comes with the monitor, searched, and what of it goes into the watchlist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.models import Company


@click.group()
def companies() -> None:
    """Search the catalogue of companies; add to the watchlist.

    \b
    Example:
      $ deal-monitor companies search midjourney
      NAME        ALSO  PRODUCTS  TICKERS  GROUPS
      Midjourney                           ai
    """


def catalogue() -> tuple[Company, ...]:
    from monitor.companies import load_catalogue
    from monitor.config import seed

    return load_catalogue(seed("companies.toml"))


@companies.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--limit", type=int, default=15, show_default=True, help="At most so many; 0 = all.")
@output.json_option
def companies_search(words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Find companies by name, product, ticker or group.

    \b
    Example:
      $ deal-monitor companies search chips --limit 3
    """
    from monitor.companies import search

    found = search(catalogue(), words)
    shown = found[:limit] if limit else found
    if as_json:
        output.emit(shown)
        return
    output.table(
        ("NAME", "ALSO", "PRODUCTS", "TICKERS", "GROUPS"),
        [(c.name, *(", ".join(v) for v in (c.aliases, c.products, c.tickers, c.groups))) for c in shown],
        wrap=("NAME", "ALSO", "PRODUCTS", "GROUPS"),
    )
    if not found:
        output.say("not in the catalogue; write an entry of your own into watchlist.toml")
    elif len(found) > len(shown):
        output.say(f"{len(found) - len(shown)} more; --limit 0 shows all")


@companies.command("add")
@click.argument("name")
@click.option("--group", multiple=True, help="A label of yours; may be repeated. Default: the catalogue's.")
@click.pass_obj
def companies_add(config: Path | None, name: str, group: tuple[str, ...]) -> None:
    """Put a company of the catalogue on the watchlist.

    \b
    Example:
      $ deal-monitor companies add Nvidia
      Nvidia: added to watchlist.toml
    """
    from monitor.companies import plain
    from monitor.config import load_config
    from monitor.config.editing import append_table

    loaded = load_config(config)
    company = find(name)
    if any(plain(c.name) == plain(company.name) for c in loaded.watchlist):
        raise click.ClickException(f"{company.name}: is on the watchlist already")
    file = _list_file(loaded)
    append_table(file, "companies", entry(company, group))
    load_config(config)
    click.echo(f"{company.name}: added to {file.name}")


def find(name: str) -> Company:
    """The catalogue's company of that name or other name."""
    from monitor.companies import find as look_up
    from monitor.companies import near

    company = look_up(catalogue(), name)
    if company is None:
        alike = near(catalogue(), name)
        hint = f"did you mean {' or '.join(alike)}?" if alike else "write an entry of your own into watchlist.toml"
        raise click.ClickException(f"{name}: not in the catalogue; {hint}")
    return company


def entry(company: Company, groups: tuple[str, ...]) -> dict[str, Any]:
    """A company as a table of a watchlist; your own groups in place of the catalogue's, if given."""
    values: dict[str, Any] = {"name": company.name}
    for key in ("aliases", "products", "tickers"):
        values |= {key: getattr(company, key)} if getattr(company, key) else {}
    return values | ({"groups": groups or company.groups} if groups or company.groups else {})


def _list_file(config: Config) -> Path:
    """The watchlist that commands write to: the first that monitor.toml names."""
    from monitor.config import FILE, Settings
    from monitor.config.files import read_toml

    return config.folder / read_toml(config.folder / FILE, Settings).watchlist[0]
