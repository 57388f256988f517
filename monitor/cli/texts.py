"""`detect`, `backfill`, `evaluate`: texts that come from elsewhere, one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from monitor.cli import output

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.models import Company
    from monitor.pipeline.backfilling import Change
    from monitor.pipeline.documents import Read

T = TypeVar("T")

watchlist_option = click.option(
    "--watchlist",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A watchlist in place of a configuration.",
)
rules_option = click.option(
    "--rules", type=click.Path(path_type=Path), multiple=True, metavar="FILE", help="Rules of yours; may be repeated."
)


@contextmanager
def open_lines(name: str) -> Iterator[IO[str]]:
    """The lines of a file, or of stdin for `-`; bytes that are no UTF-8 are an error with a name."""
    from monitor.errors import ConfigError

    try:
        if name == "-":
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")  # type: ignore[union-attr]
            yield sys.stdin
        else:
            with Path(name).open(encoding="utf-8-sig") as lines:
                yield lines
    except UnicodeDecodeError:
        raise ConfigError(name, "", "this is not UTF-8 text", "save the file as UTF-8") from None
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ConfigError(name, "", f"cannot be read ({error.strerror})", "correct the path") from None


def what_to_watch(
    config: Path | None, watchlist: Path | None, rules: tuple[Path, ...]
) -> tuple[tuple[Company, ...], tuple[Path, ...], Config | None]:
    """Companies, rule files and configuration, from the options or from the user's files."""
    from monitor.config import load_config, load_watchlist

    if watchlist is not None:
        return load_watchlist(watchlist), rules, load_config(config) if config else None
    loaded = load_config(config)
    return loaded.watchlist, (*loaded.detection.rules, *rules), loaded


@click.command()
@click.argument("file", default="-", metavar="[FILE|-]")
@watchlist_option
@rules_option
@output.json_option
@click.pass_obj
def detect(config: Path | None, file: str, watchlist: Path | None, rules: tuple[Path, ...], as_json: bool) -> None:
    """Find deals in your own texts, one JSON object a line.

    Each line holds {"id", "title", "text", "url"?, "published"?}; each gets one answer, in the same order. Nothing is
    stored. With --json an answer is one line, {"id", "events": [...]}, and the list is empty where nothing is reported.

    \b
    Example:
      $ echo '{"id": 1, "title": "Meta and Midjourney sign licensing deal"}' | deal-monitor detect
      1: Meta and Midjourney: licensing, announced
    """
    from monitor.claims import Reader
    from monitor.companies import catalogue
    from monitor.lexicon import load_lexicon
    from monitor.pipeline.documents import detect as run
    from monitor.pipeline.documents import detect_answer, parse_documents

    companies, own, _ = what_to_watch(config, watchlist, rules)
    reader = Reader(load_lexicon(own), companies, catalogue())
    with open_lines(file) as lines, _counted(file, parse_documents(lines, file)) as documents:
        for one in run(reader, documents):
            if as_json:
                output.emit([detect_answer(one.given, one.reading)])
            else:
                _show(one)


def _counted(file: str, documents: Iterable[T]) -> AbstractContextManager[Iterable[T]]:
    """With a progress display, but for texts that are typed."""
    return nullcontext(documents) if file == "-" and sys.stdin.isatty() else output.counted("texts", documents)


def _show(one: Read) -> None:
    claims = one.reading.claims if one.reading else ()
    if not claims:
        click.echo(f"{one.given}: nothing")
    for claim in claims:
        origin = f", per {claim.origin}" if claim.origin else ""
        value = f", {claim.value}" if claim.value else ""
        kind = claim.deal_type.replace("_", " ")
        click.echo(f"{one.given}: {' and '.join(claim.parties)}: {kind}, {claim.status}{origin}{value}")


@click.command()
@click.argument("file", default="-", metavar="[FILE|-]")
@click.option("--dry-run", is_flag=True, help="Say what would change, and write nothing.")
@watchlist_option
@rules_option
@output.json_option
@click.pass_obj
def backfill(
    config: Path | None, file: str, dry_run: bool, watchlist: Path | None, rules: tuple[Path, ...], as_json: bool
) -> None:
    """Read old articles as if polled when they appeared.

    Takes what `detect` takes, in the order of "published". Prints one line per change. What it finds is kept as known
    history and raises no alert. With --watchlist and no configuration there is nowhere to keep it: a dry run.

    \b
    Example:
      $ deal-monitor backfill archive.jsonl --dry-run
      a1: new: Meta and Runway: partnership, announced
      1 article, 1 change
    """
    from datetime import UTC, datetime

    from monitor.claims import Reader
    from monitor.companies import catalogue
    from monitor.events import FoldSettings
    from monitor.lexicon import load_lexicon
    from monitor.pipeline import backfilling
    from monitor.pipeline.documents import change_answer, parse_documents
    from monitor.pipeline.settings import fold_settings
    from monitor.store import open_store

    companies, own, loaded = what_to_watch(config, watchlist, rules)
    if loaded is None and not dry_run:
        output.say("no configuration, so there is nowhere to keep it: this is a dry run (--config PATH keeps it)")
    now = datetime.now(UTC)
    with open_lines(file) as lines:
        documents = backfilling.in_order(parse_documents(lines, file), now)
    reader = Reader(load_lexicon(own), companies, catalogue())
    settings = fold_settings(loaded) if loaded else FoldSettings()
    count = 0
    with output.counted("texts", documents, len(documents)) as taken:
        if loaded is None or dry_run:
            changes = backfilling.dry_run(reader, taken, _known(loaded), settings, now)
        else:
            changes = backfilling.kept(reader, taken, open_store(loaded.state), settings, now)
        for count, change in enumerate(changes, 1):  # noqa: B007 - counted for the last line
            if as_json:
                output.emit([change_answer(change.given, change.event)])
            else:
                _show_change(change)
    output.say(f"{output.several(len(documents), 'article')}, {output.several(count, 'change')}")


def _show_change(change: Change) -> None:
    event = change.event
    status = f"{event.status_before} -> {event.status}" if event.status_before else event.status
    kind = event.deal_type.replace("_", " ")
    click.echo(f"{change.given}: {event.change}: {' and '.join(event.parties)}: {kind}, {status}")


def _known(config: Config | None) -> Any:
    """How a dry run asks what is known already; without a state, nothing is."""
    if config is None:
        return lambda keys: ()
    from monitor.store import open_store

    store = open_store(config.state)
    return lambda keys: store.find("events", keys)


@click.command()
@click.argument("labels", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--texts", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="The texts themselves."
)
@click.option(
    "--one-side", is_flag=True, help="Watch one party only, and score the other's name (three times as long)."
)
@rules_option
@output.json_option
def evaluate(labels: Path, texts: Path, rules: tuple[Path, ...], one_side: bool, as_json: bool) -> None:
    """Score detection on texts that you labelled.

    LABELS and --texts hold one JSON object a line and share "id". Prints precision, recall and F1 per axis, each with
    a one-sided 90% lower bound.

    \b
    Example:
      $ deal-monitor evaluate labels.jsonl --texts texts.jsonl
      1 strict items
      fire precision             1.000  (1/1, 90% sure of 0.378)
      fire recall                1.000  (1/1, 90% sure of 0.378)
    """
    from monitor import evaluate as scoring

    with output.progress(not as_json) as step:
        report = scoring.evaluate(labels, texts, rules, one_side=one_side, progress=step)
    if as_json:
        sys.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False) + "\n")
    else:
        click.echo(report.text())
