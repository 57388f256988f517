"""How commands print: tables that fit the terminal, one JSON object a line for programs, progress on stderr."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor.text import clean_line

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.models import Alert
    from monitor.pipeline.run import Progress

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs.")


def stdout() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False, emoji=False, markup=False)


def stderr() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False, markup=False)


def say(text: str) -> None:
    """A word to the person, on stderr."""
    click.echo(text, err=True)


def emit(records: Iterable[Any]) -> None:
    """One JSON object a line on stdout."""
    for record in records:
        sys.stdout.write(json.dumps(plain(record), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """Records as JSON knows them: times as ISO 8601 in UTC, 64-bit keys as hex (JSON numbers end at 53 bits)."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return f"{value:016x}"
    return value


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, wrap: Sequence[str] = ()) -> None:
    """A table as wide as the terminal, if there are rows; columns in `wrap` may take several lines, others are cut."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    cells = [[cell if isinstance(cell, Text) else Text(clean_line(str(cell))) for cell in row] for row in rows]
    if not cells:
        return
    for place, name in enumerate(columns):
        widest = max([len(name), *(len(row[place]) for row in cells)])
        if name in wrap:
            shown.add_column(name, overflow="fold", min_width=min(widest, 14))
        else:
            shown.add_column(name, overflow="ellipsis", no_wrap=True, min_width=min(widest, 20))
    for row in cells:
        shown.add_row(*row)
    stdout().print(shown)


@contextmanager
def progress(show: bool = True) -> Iterator[Progress]:
    """A progress display on stderr, one line a stage; silent where nobody watches."""
    from monitor.pipeline.run import quiet

    console = stderr()
    if not show or not console.is_terminal:
        yield quiet
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # what goes to a file must not be drawn into the display; what goes to the same terminal must
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        lines: dict[str, Any] = {}

        def step(stage: str, done: int, total: int) -> None:
            if stage not in lines:
                lines[stage] = bar.add_task(stage, total=total or None)
            bar.update(lines[stage], completed=done, total=total or None)

        yield step


@contextmanager
def counted(stage: str, items: Iterable[T], total: int = 0) -> Iterator[Iterator[T]]:
    """The items, counted on a progress display as they are taken; `total` 0 = not known."""

    def taken() -> Iterator[T]:
        for number, item in enumerate(items, 1):
            step(stage, number - 1, total)
            yield item

    with progress() as step:
        yield taken()


def alert_lines(alert: Alert) -> list[str]:
    """An alert as a terminal shows it: its body, under the subject where that does not say the same."""
    body = alert.body.splitlines()
    label = alert.subject.partition(":")[0]
    return body if body and body[0].startswith(label) else [alert.subject, "", *body]


def program() -> str:
    """How the user called us: within a checkout through uv, else by name."""
    return "uv run deal-monitor" if "UV_RUN_RECURSION_DEPTH" in os.environ else "deal-monitor"


def several(number: int, word: str) -> str:
    """ "1 feed", "2 feeds", "0 companies"."""
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number} {word if number == 1 else plural}"


def ago(then: datetime | None, now: datetime) -> str:
    """`3 min ago`, `in 2 h`, `never`."""
    if then is None:
        return "never"
    seconds = (now - then).total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if size >= length:
            return f"{size / length:.0f} {unit} ago" if seconds > 0 else f"in {size / length:.0f} {unit}"
    return "now"


class Since(click.ParamType[timedelta | datetime]):
    """`7d`, `12h`, `30min` back from now, or a date such as 2026-11-01."""

    name = "SINCE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, timedelta | datetime):
            return value
        for unit, name in (("min", "minutes"), ("d", "days"), ("h", "hours"), ("w", "weeks")):
            number = str(value).removesuffix(unit)
            if number != value and number.isdigit():
                return timedelta(**{name: int(number)})
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f'"{value}" is no time: write 7d, 12h, 30min or 2026-11-01', param, ctx)
