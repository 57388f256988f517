"""Results as Markdown: a summary of the goals, a table per row, growth as small text charts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from tests.benchmarks.frame import Chart, Line, Result

WIDTH = 40  # characters of the longest bar


def render(results: Sequence[Result]) -> str:
    parts = ["# Benchmarks, as measured\n", *_goals(results)]
    for result in results:
        parts += [f"\n## {result.title}\n", f"{result.when} UTC; {result.machine}\n", *_table(result.lines)]
        for chart in result.charts:
            parts += ["", *_chart(chart)]
        parts += ["", *(f"- {note}" for note in result.notes)] if result.notes else []
    return "\n".join(parts) + "\n"


def _goals(results: Sequence[Result]) -> Iterable[str]:
    yield "| work | to reach | reached | |\n|---|---|---|---|"
    for result in results:
        for goal in result.goals:
            yield f"| {result.title} | {goal.what} | {goal.got} | {'yes' if goal.met else '**no**'} |"


def _table(lines: Sequence[Line]) -> Iterable[str]:
    yield "| work | with | median | times ours | |\n|---|---|---:|---:|---|"
    for line in lines:
        against = "" if line.against is None else f"{line.against:.2f}"
        yield f"| {line.work} | {line.name} | {_figure(line.value)} {line.unit} | {against} | {line.more} |"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _chart(chart: Chart) -> Iterable[str]:
    """A bar per value, on a logarithmic scale: equal steps are equal factors."""
    values = [value for row in chart.series.values() for value in row if value]
    if not values:
        return
    low, high = math.log(min(values)) - 0.5, math.log(max(values))
    name_width = max(map(len, chart.series))
    x_width = max(map(len, chart.x))
    yield f"{chart.title} (logarithmic)\n\n```"
    for name, row in chart.series.items():
        for place, value in zip(chart.x, row, strict=True):
            label = f"{name if place == chart.x[0] else '':{name_width}}  {place:>{x_width}}"
            if value is None:
                yield f"{label}  -"
            else:
                bar = "#" * max(1, round(WIDTH * (math.log(value) - low) / max(high - low, 1e-9)))
                yield f"{label}  {bar} {_figure(value)}"
    yield "```"
