"""`poll` and `digest`: run once, here and now."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import output
from monitor.cli.stopping import loading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.models import Alert
    from monitor.pipeline import RunReport, Watch


def quiet_prefect(home: Path | None = None) -> None:
    """Prefect's settings for a run from the command line; to be called before Prefect is imported first."""
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # what a run did is shown by its report
    os.environ.setdefault("PREFECT_LOGGING_SERVER_LEVEL", "CRITICAL")
    if home is not None:  # a server of our own, whatever the user's profile says
        os.environ["PREFECT_HOME"] = str(home)
        os.environ.pop("PREFECT_API_URL", None)
        os.environ["PREFECT_PROFILES_PATH"] = str(home / "profiles.toml")


@contextmanager
def looking_on(as_json: bool) -> Iterator[Watch]:
    """Progress on stderr; alerts for `console://` on stdout, or on stderr where stdout is for a program."""
    from monitor.pipeline import Watch, watching

    with output.progress(not as_json) as step:
        stream = sys.stderr if as_json else sys.stdout

        def show(alert: Alert) -> None:
            stream.write("\n".join(output.alert_lines(alert)) + "\n\n")
            stream.flush()

        with watching(Watch(progress=step, console=show)) as watch:
            yield watch


def show_report(report: RunReport) -> None:
    """The run in a few lines on stderr: what was done, what went wrong where."""
    output.say(report.headline())
    if report.feeds_baseline:
        found = len({e.event_id for e in report.events if e.baseline and e.change})
        deals = f", {output.several(found, 'deal')} among it: `deal-monitor events`" if found else ""
        feeds = output.several(report.feeds_baseline, "feed")
        output.say(f"{feeds} polled for the first time: what was there is recorded, not alerted{deals}")
    if report.articles_waiting:
        pages = "page" if report.articles_waiting == 1 else "pages"
        output.say(f"{report.articles_waiting} {pages} could not be had; to be asked again later")
    for problem in report.problems[:20]:
        output.say(f"  {problem.stage}: {problem.where}: {problem.kind}: {problem.detail}")
    if len(report.problems) > 20:
        output.say(f"  ... and {len(report.problems) - 20} more; `deal-monitor feeds` and `status` show all")


@click.command()
@click.option("--due", is_flag=True, help="Ask only the feeds that are due, as the schedule does.")
@click.option("--plain", is_flag=True, help="The same steps without Prefect: starts at once, leaves no run behind.")
@output.json_option
@click.pass_obj
def poll(config: Path | None, due: bool, plain: bool, as_json: bool) -> None:
    """Poll the feeds once, and send what is new.

    Runs the flow of the scheduled deployment: on the server that PREFECT_API_URL names, else on a Prefect server within
    this process. Alerts for the channel console:// go to stdout.

    \b
    Example:
      $ deal-monitor poll
      98 feeds, 41 new articles, 2 changes, 2 alerts
    """
    from monitor.config import find_config, load_config
    from monitor.store import open_store

    file = find_config(config)
    loaded = load_config(file)  # a mistake in a file is told before anything starts
    with open_store(loaded.state).lock():
        pass  # another run is noticed before Prefect starts
    reports: list[RunReport] = []
    try:
        with looking_on(as_json) as watch:
            reports = watch.reports
            run_steps(loaded, everything=not due) if plain else run_flow(config=file, everything=not due)
    finally:  # also of a run that failed there is something to tell
        if reports and not as_json:
            show_report(reports[-1])
        elif reports:
            output.emit([reports[-1].as_dict()])


@click.command()
@click.option("--days", type=click.FloatRange(0, 366), default=1.0, show_default=True, help="How far back it tells.")
@click.pass_obj
def digest(config: Path | None, days: float) -> None:
    """Send the digest now, to the channels that take one.

    Each channel gets one a day at most, with what it was not told yet: new deals, what moved, rumours growing old, and
    what was not covered.

    \b
    Example:
      $ deal-monitor digest --days 7
      0 digests sent
      no channel takes digests: give one mode = "digest" in monitor.toml
    """
    from monitor.config import load_config
    from monitor.pipeline import digest as send_digest
    from monitor.pipeline import open_run

    loaded = load_config(config)
    with looking_on(False), open_run(loaded, lock=False) as run:
        send_digest(run, days)
    for problem in run.report.problems:
        output.say(f"{problem.where}: {problem.kind}: {problem.detail}")
    click.echo(f"{output.several(run.report.sent, 'digest')} sent")
    if not any(c.mode == "digest" and c.enabled for c in loaded.channels):
        output.say('no channel takes digests: give one mode = "digest" in monitor.toml')
    elif not run.report.sent and not run.report.problems:
        output.say("the digest of today was sent before; `deal-monitor alerts` shows when")
    if run.report.problems:
        sys.exit(1)


def run_flow(**parameters: Any) -> None:
    """The flow, on the server that is named; without one, on a server within this process."""
    from monitor.cli.prefecting import answers, api_url

    quiet_prefect()
    with loading():
        url = api_url()
    if url and not answers(url):
        raise click.ClickException(
            f"no Prefect server answers at {url}; start it, unset PREFECT_API_URL for one within this process, or use "
            "--plain to do without"
        )
    with loading():
        from flows.poll import poll as flow

    flow(**parameters)


def run_steps(config: Any, **options: Any) -> None:
    from monitor.pipeline import STEPS, open_run

    with open_run(config, **options) as run:
        for step in STEPS:
            step(run)
    run.report.raise_if_failed()
