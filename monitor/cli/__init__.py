"""The command line: which commands there are, and what an error becomes. Each command lives in a file of its group and
is loaded only when it is called, so that `--help` answers at once."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path

import click

from monitor.cli.stopping import CODE, SAYS, loading
from monitor.errors import InputError, LockHeld, MonitorError

# name -> (module, one line of help). A test compares the line with the command's own.
COMMANDS = {
    "demo": ("demo", "See it work: three mornings of made-up news, offline."),
    "init": ("first", "Write monitor.toml, feeds.toml and watchlist.toml."),
    "check": ("setup", "Read all files and say what is wrong where."),
    "poll": ("running", "Poll the feeds once, and send what is new."),
    "events": ("deals", "Deals as known so far."),
    "alerts": ("looking", "What was sent where, and what was not."),
    "feeds": ("feeds", "The feeds and how they are; add, remove, import, export."),
    "companies": ("companies", "Search the catalogue of companies; add to the watchlist."),
    "explain": ("explaining", "Why an article raised an alert, or none."),
    "detect": ("texts", "Find deals in your own texts, one JSON object a line."),
    "backfill": ("texts", "Read old articles as if polled when they appeared."),
    "evaluate": ("texts", "Score detection on texts that you labelled."),
    "label": ("labelling", "Turn a stored article or an alert into a label for `evaluate`."),
    "replay": ("explaining", "Read stored articles again under changed rules; say what would change."),
    "mute": ("muting", "Silence a company, a pair, an event, a rule or a feed."),
    "export": ("exporting", "Deals for other programs."),
    "serve": ("showing", "Show the page: deals, their lives, companies, feeds, alerts."),
    "report": ("showing", "Write the page as a folder of files that opens from disk."),
    "digest": ("running", "Send the digest now, to the channels that take one."),
    "status": ("looking", "Is all well? Exit code 1 if not."),
    "metrics": ("looking", "Figures for Prometheus."),
    "deploy": ("prefecting", "Put the schedules on the Prefect server."),
    "serve-flows": ("prefecting", "Run the schedules from this one process, without a worker."),
    "maintain": ("tables", "What the nightly flow does: expire, drop, compact."),
    "compact": ("tables", "Merge the tables' segments now."),
    "doctor": ("tables", "Check every byte of the tables, mend what can be mended."),
    "copy": ("tables", "Copy a state from folder or bucket to another."),
}


class Group(click.Group):
    """Commands by name; their modules are imported when they run, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        with loading():
            module = importlib.import_module(f"monitor.cli.{COMMANDS[name][0]}")
        command = getattr(module, name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(error.message + hint, ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="monitor.toml, or the folder that holds it. Else DEAL_MONITOR_CONFIG, else the current folder.",
)
@click.version_option(package_name="deal-monitor", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Watches the news for partnerships and deal rumours of your companies, and says when one appears or changes.

    Start with `deal-monitor demo`; then `init`, `check`, `poll`. Data goes to stdout, progress and errors to stderr.
    Exit code: 0 done, 1 failed, 2 wrong use or a mistake in a file, 75 another run holds the lock.
    """
    ctx.obj = config


def main() -> None:
    """The entry point. Every error that we expect is one line; anything else is a bug and shows itself."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(SAYS, err=True)
        code = CODE
    except BrokenPipeError:  # the reader has seen enough: `deal-monitor events | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except LockHeld as error:
        click.echo(f"deal-monitor: {error}", err=True)
        code = 75
    except MonitorError as error:
        click.echo(f"deal-monitor: {error}", err=True)
        code = 2 if isinstance(error, InputError) else 1
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        remedy = "free some room" if error.errno == errno.ENOSPC else "check the path and its rights"
        click.echo(f"deal-monitor: {error.filename or 'the disk'}: {error.strerror}; {remedy}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
