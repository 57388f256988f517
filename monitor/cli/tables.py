"""`compact`, `doctor`, `copy`, `maintain`: care of the tables."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli import output
from monitor.cli.looking import open_state


@click.command()
@click.pass_obj
def maintain(config: Path | None) -> None:
    """What the nightly flow does: expire, drop, compact.

    Rumours that nobody confirmed expire, rows past their time go, tables are compacted.

    \b
    Example:
      $ deal-monitor maintain
      0 rumours expired, 0 old rows dropped, 6 tables compacted
    """
    from monitor.config import load_config
    from monitor.pipeline import open_run
    from monitor.pipeline.upkeep import maintain as run_maintain

    with open_run(load_config(config)) as run:
        click.echo(run_maintain(run).headline())


@click.command()
@click.pass_obj
def compact(config: Path | None) -> None:
    """Merge the tables' segments now; commits do so by themselves now and then.

    \b
    Example:
      $ deal-monitor compact
      6 tables compacted
    """
    _, store = open_state(config)
    names = list(store.tables())
    for name in names:
        store.compact(name, everything=True)
    click.echo(f"{len(names)} tables compacted")


@click.command()
@click.option("--look", is_flag=True, help="Only look; mend nothing.")
@output.json_option
@click.pass_obj
def doctor(config: Path | None, look: bool, as_json: bool) -> None:
    """Check every byte of the tables, mend what can be mended, say what cannot.

    Exit code 1 if rows are lost.

    \b
    Example:
      $ deal-monitor doctor
      all tables are sound
    """
    _, store = open_state(config)
    findings = store.doctor(mend=not look)
    if as_json:
        output.emit(findings)
    else:
        for finding in findings:
            click.echo(f"{finding.path}: {finding.what}; {finding.done or 'left as it is'}")
        click.echo(f"{len(findings)} things found" if findings else "all tables are sound")
    if any(finding.lost for finding in findings):
        sys.exit(1)


@click.command()
@click.argument("source")
@click.argument("target")
def copy(source: str, target: str) -> None:
    """Copy a state from folder or bucket to another: `copy state s3://bucket/deals`.

    \b
    Example:
      $ deal-monitor copy state elsewhere
      12 files copied; set state = "elsewhere" in monitor.toml
    """
    from monitor.store import open_store

    count = open_store(source).copy_to(target)
    if not count:
        raise click.ClickException(f"{source}: no tables are here; give the folder that monitor.toml names as state")
    click.echo(f'{count} files copied; set state = "{target}" in monitor.toml')
