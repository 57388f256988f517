"""`demo`: three mornings of a made-up world, polled for real, offline."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli import output
from monitor.cli.running import quiet_prefect

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.status import Status

    from monitor.models import Alert
    from monitor.pipeline import RunReport
    from monitor.world import World

INTRO = """\
A small news site is running on this machine: nine feeds, two of them broken, and pages full of menus and adverts.
The monitor polls it on three mornings with the Prefect flow that you would schedule, watching the companies of
{watchlist}. First poll: your own set-up records it and stays silent; the demo alerts at once.
"""

NEXT = """\
What to do next
  {run} --config {folder} events      the deals as known after these three mornings
  {run} --config {folder} alerts      what was sent
  {run} --config {folder} serve       all of it as a page, with a graph of who deals with whom
  {run} init deals                    files of your own: settings, 91 public feeds, a watchlist
  {run} --config deals check          says what is wrong where
  {run} --config deals poll           the same flow, on your feeds
"""


def cache_folder() -> Path:
    """Where the demo keeps its files, so that the second start is faster and the tables can be looked at."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deal-monitor"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to keep the demo's tables.")
@click.option("--plain", is_flag=True, help="Without Prefect: the same steps, at once.")
def demo(folder: Path | None, plain: bool) -> None:
    """See it work: three mornings of made-up news, offline.

    Starts a small news site on this machine, polls it with the real flow, and prints the alerts as they would arrive.

    \b
    Example:
      $ deal-monitor demo
    """
    from monitor.config import seed
    from monitor.world import recent_mornings, serve_world

    began = time.monotonic()
    folder = folder or cache_folder() / "demo"
    shutil.rmtree(folder / "state", ignore_errors=True)
    screen, err = output.stdout(), output.stderr()
    with serve_world(seed("world"), mornings=recent_mornings(datetime.now(UTC))) as world:
        config = world.write_config(folder)
        screen.print(INTRO.format(watchlist=folder / "watchlist.toml"))
        with err.status("starting Prefect's server; the first time may take half a minute ...") as status:
            reports = _mornings(world, config, plain, screen, status)
        _sum_up(reports, world, screen, time.monotonic() - began, plain)
    run = "uv run deal-monitor" if "UV_RUN_RECURSION_DEPTH" in os.environ else "deal-monitor"
    screen.print(NEXT.format(folder=folder, run=run), soft_wrap=True)


def _mornings(world: World, config: Path, plain: bool, screen: Console, status: Status) -> list[RunReport]:
    """Three mornings, and the third once more: nothing must come of that."""
    from monitor.pipeline import Watch, watching

    flow = _steps if plain else _flow()

    def step(stage: str, done: int, total: int) -> None:
        status.update(f"morning {world.morning}: {stage} {done} of {total}")

    def show(alert: Alert) -> None:
        first, *rest = output.alert_lines(alert)
        screen.print(f"  {first}", style="bold", soft_wrap=True)
        screen.print("\n".join(f"  {line}" if line else "" for line in rest), soft_wrap=True)
        screen.print()

    with watching(Watch(progress=step, console=show)) as watch:
        for world.morning in (1, 2, 3, 3):
            again = len(watch.reports) == len(world.script.mornings)
            title = "the same morning again" if again else f"{world.now:%A %d %B}, {world.now:%H:%M}"
            screen.rule(title, align="left")
            screen.print()
            flow(config=config, everything=True, now=world.now)
            screen.print(_line(watch.reports[-1]), style="dim", soft_wrap=True)
            screen.print()
    return watch.reports


def _flow() -> Callable[..., object]:
    quiet_prefect(cache_folder() / "prefect")
    from flows.poll import poll

    return poll


def _steps(config: Path, **options: object) -> None:
    from monitor.cli.running import run_steps
    from monitor.config import load_config

    run_steps(load_config(config), **options)


def _line(report: RunReport) -> str:
    silent = report.articles - len({e.url for e in report.events})
    failing = [f"{p.where.partition('//')[2].partition('/')[2]}: {p.kind}" for p in report.problems if p.where]
    words = (
        f"{report.feeds} feeds asked, {report.feeds_not_modified} unchanged; {report.articles} articles read, "
        f"{silent} of them no news; {report.sent} alerts"
    )
    return words + ("\nset aside: " + ", ".join(failing) if failing else "")


def _sum_up(reports: list[RunReport], world: World, screen: Console, seconds: float, plain: bool) -> None:
    screen.rule("summary", align="left")
    screen.print()
    totals: dict[str, float] = {}
    for report in reports:
        for stage, taken in report.seconds.items():
            if ":" not in stage:
                totals[stage] = totals.get(stage, 0) + taken
    screen.print(
        f"{sum(r.articles for r in reports)} articles from {reports[0].feeds} feeds became "
        f"{sum(len(r.changes) for r in reports)} changes and {sum(r.sent for r in reports)} alerts; the same morning "
        f"again brought {reports[-1].sent}.\n"
        + "Seconds: "
        + ", ".join(f"{stage} {taken:.1f}" for stage, taken in totals.items())
        + f"; in all {seconds:.0f}{'' if plain else ', most of it the start of Prefect'}.\n",
        soft_wrap=True,
    )
    if repeated := [path for path in world.read_twice() if "oldharbour" not in path]:
        sys.exit(f"fetched twice though unchanged: {', '.join(repeated)}")
