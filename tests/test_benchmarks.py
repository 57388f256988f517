"""The benchmarks still run. What they measure is no matter here: nothing in this suite depends on the time."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import ROWS, measure
from tests.benchmarks.frame import Chart, Goal, Line, Result
from tests.benchmarks.report import render


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_its_function(name: str) -> None:
    module, _, function = ROWS[name].partition(":")
    assert callable(getattr(import_module(f"tests.benchmarks.{module}"), function))


def test_the_report_shows_goals_figures_and_growth() -> None:
    result = Result(
        title="reading",
        lines=[Line(work="ten", name="ours", value=2.0, unit="s", against=1.0)],
        goals=[Goal(what="twice as fast", got="1.5 times", met=False)],
        charts=[Chart(title="Growth", x=["1", "10"], series={"ours": [1.0, None], "theirs": [1.0, 1000.0]})],
        machine="a machine",
    )
    text = render([result, Result.from_dict(result.as_dict())])
    assert "| reading | twice as fast | 1.5 times | **no** |" in text
    assert "| ten | ours | 2 s | 1.00 |  |" in text
    assert "########## 1,000" in text and "  10  -" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "needs"), [("commands", ""), ("unchanged", "reader"), ("tables", "duckdb"), ("detection", "")]
)
def test_a_row_runs_in_small(name: str, needs: str, tmp_path: Path) -> None:
    if needs:
        pytest.importorskip(needs)
    result = measure(name, quick=True, runs=1, keep=tmp_path)
    assert result.lines and result.goals
