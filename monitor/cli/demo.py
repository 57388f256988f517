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
from monitor.cli.stopping import loading

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.status import Status

    from monitor.models import Alert, Event
    from monitor.pipeline import RunReport
    from monitor.world import World

INTRO = (
    "A made-up news site is running on this machine: nine feeds, two of them broken, pages full of menus and adverts. "
    "The monitor polls it on three mornings with {flow}. What it would send:\n"
)

NEXT = (
    ("--config {folder} events", "the deals as known after these three mornings"),
    ("--config {folder} serve", "all of it as a page, with a graph of who deals with whom"),
    ("--config {folder} alerts preview --channel slack", "the newest alert whole, as Slack shows it"),
    ("init deals", "files of your own: settings, public feeds, a watchlist"),
    ("--config deals check", "says what is wrong where"),
    ("--config deals poll", "the same flow, on your feeds"),
)
COLOURS = {"open": "yellow", "firm": "green", "off": "red"}


def cache_folder() -> Path:
    """Where the demo keeps its files, so that the second start is faster and the tables can be looked at."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deal-monitor"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to keep the demo's tables.")
@click.option("--plain", is_flag=True, help="Without Prefect: the same steps, at once.")
def demo(folder: Path | None, plain: bool) -> None:
    """See it work: three mornings of made-up news, offline.

    Starts a small news site on this machine, polls it with the real flow, and prints what would be sent, in short.

    \b
    Example:
      $ deal-monitor demo
      Denied: acquisition of Kestrin Robotics by Draymont, $2.3bn
        denied by a party, 2 outlets; was a rumour, now denied; first told on 25 Nov 2026 as "Rumour"
        "Kestrin Robotics denies takeover talks with Draymont" (Harbour Wire)
    """
    from monitor.config import seed
    from monitor.world import recent_mornings, serve_world

    began = time.monotonic()
    folder = folder or cache_folder() / "demo"
    shutil.rmtree(folder / "state", ignore_errors=True)
    screen, err = output.stdout(), output.stderr()
    with serve_world(seed("world"), mornings=recent_mornings(datetime.now(UTC))) as world:
        config = world.write_config(folder)
        screen.print(INTRO.format(flow="the same steps" if plain else "the Prefect flow that you would schedule"))
        watched = screen if screen.is_terminal else err  # one console for both, or they write into each other
        with watched.status("starting Prefect's server; the first time may take half a minute ...") as status:
            reports = _mornings(world, config, plain, screen, status)
        _sum_up(reports, world, screen, time.monotonic() - began, plain)
    _say_what_next(folder, screen)


def _say_what_next(folder: Path, screen: Console) -> None:
    run = output.program()
    home = str(Path.home())
    place = "~" + str(folder)[len(home) :] if str(folder).startswith(home + os.sep) else str(folder)
    lines = [(f"{run} {words.format(folder=place)}", why) for words, why in NEXT]
    width = max(len(command) for command, _ in lines)
    screen.print("What to do next\n")
    for command, why in lines:
        if width + len(why) + 6 <= screen.width:
            screen.print(f"  {command:<{width}}  {why}", soft_wrap=True)
        else:
            screen.print(f"  {command}", soft_wrap=True)
            screen.print(f"      {why}", style="dim", soft_wrap=True)


def _mornings(world: World, config: Path, plain: bool, screen: Console, status: Status) -> list[RunReport]:
    """Three mornings, and the third once more: nothing must come of that."""
    from monitor.pipeline import Watch, watching

    flow = _steps if plain else _flow()
    first: dict[str, Event] = {}
    named: set[str] = set()

    def step(stage: str, done: int, total: int) -> None:
        status.update(f"morning {world.morning}: {stage} {done} of {total}")

    def show(alert: Alert) -> None:
        for event in alert.events:
            _show(event, first.setdefault(event.event_id, event), screen)

    with watching(Watch(progress=step, console=show)) as watch:
        for world.morning in (1, 2, 3, 3):
            again = len(watch.reports) == len(world.script.mornings)
            title = "the same morning again" if again else f"{world.now:%A %d %B}, {world.now:%H:%M}"
            screen.rule(title, align="left")
            screen.print()
            flow(config=config, everything=True, now=world.now)
            screen.print(_line(watch.reports[-1], named), style="dim", soft_wrap=True)
            screen.print()
    return watch.reports


def _show(event: Event, first: Event, screen: Console) -> None:
    """One alert in short: the links of a made-up site lead nowhere."""
    from rich.padding import Padding
    from rich.text import Text

    from monitor.alerts import card

    told = card(event, first if first is not event else None, UTC)
    label, _, rest = told.subject.partition(":")
    screen.print(Text.assemble((f"{label}:", f"bold {COLOURS[told.tone]}"), (rest, "bold")))
    more = "; ".join(filter(None, (told.status, told.since)))
    screen.print(Padding(Text(more), (0, 0, 0, 2), expand=False))
    screen.print(Padding(Text(f'"{told.sentence}" ({told.outlet})', style="dim"), (0, 0, 0, 2), expand=False))
    screen.print()


def _flow() -> Callable[..., object]:
    quiet_prefect(cache_folder() / "prefect")
    with loading():
        from flows.poll import poll

    return poll


def _steps(config: Path, **options: object) -> None:
    from monitor.cli.running import run_steps
    from monitor.config import load_config

    run_steps(load_config(config), **options)


def _line(report: RunReport, named: set[str]) -> str:
    """The run in a line; feeds and pages that failed are named the first time."""
    silent = report.articles - len({e.url for e in report.events})
    failing = {p.where.partition("//")[2].partition("/")[2]: p.kind for p in report.problems if p.kind != "odd"}
    words = (
        f"{report.feeds} feeds asked, {report.feeds_not_modified} of them unchanged; {report.articles} articles read, "
        f"{silent} without news; {report.sent} alerts"
    )
    fresh = [f"{where} ({kind.replace('_', ' ')})" for where, kind in failing.items() if where not in named]
    named.update(failing)
    return words + (f"\nset aside: {', '.join(fresh)}" if fresh else "")


def _sum_up(reports: list[RunReport], world: World, screen: Console, seconds: float, plain: bool) -> None:
    screen.rule("in all", align="left")
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
        + f"{seconds:.0f} seconds{'' if plain else ', most of them for the start of Prefect'}: "
        + ", ".join(f"{stage} {taken:.1f}" for stage, taken in totals.items())
        + ".\n",
        soft_wrap=True,
    )
    if repeated := [path for path in world.read_twice() if "oldharbour" not in path]:
        sys.exit(f"fetched twice though unchanged: {', '.join(repeated)}")
