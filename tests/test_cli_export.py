"""`deal-monitor export`: every form, chosen by company, type and time, to a file or to standard output."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import polars as pl
import pytest
from click.testing import CliRunner, Result

from monitor.cli import cli
from monitor.store import open_store
from tests.deals import claim, told


def test_the_columns_explain_themselves() -> None:
    done = CliRunner().invoke(cli, ["export", "--columns"])
    assert done.exit_code == 0
    assert "evidence_level" in done.output
    assert "Strategic Alliances" in done.output


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with files and three deals, one of which was confirmed."""
    (tmp_path / "monitor.toml").write_text("", "utf-8")
    (tmp_path / "feeds.toml").write_text("", "utf-8")
    (tmp_path / "watchlist.toml").write_text('[[companies]]\nname = "Vela"\n', "utf-8")
    versions = told(
        claim("Vela:acquirer, Orm:target", "acquisition", value="$3bn"),
        claim(
            "Vela:acquirer, Orm:target", "acquisition", "announced", day=3, terms=("expected to close in June 2030",)
        ),
        claim("Meta, Google", "licensing", day=5),
        claim("Meta, Old", "licensing", day=5),
    )
    now = datetime.now(UTC)
    ages = (3, 2, 1, 300)
    open_store(str(tmp_path / "state")).append(
        "events", [replace(e, changed_at=now - timedelta(days=age)) for e, age in zip(versions, ages, strict=True)]
    )
    return tmp_path


def export(desk: Path, form: str = "csv", *words: str) -> Result:
    return CliRunner().invoke(cli, ["--config", str(desk), "export", form, *words], catch_exceptions=False)


def test_csv_is_the_default_and_holds_each_deal_as_it_stands(desk: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(export(desk).stdout)))
    assert [(row["parties"], row["status"]) for row in rows] == [
        ("Meta; Google", "rumour"), ("Vela; Orm", "announced"), ("Meta; Old", "rumour"),
    ]  # fmt: skip
    assert rows[1]["capital_iq"] == "80"


def test_chosen_by_company_type_time_and_change(desk: Path) -> None:
    def parties(*words: str) -> list[list[str]]:
        return [json.loads(line)["parties"] for line in export(desk, "jsonl", *words).stdout.splitlines()]

    assert parties("--company", "meta", "--since", "30d") == [["Meta", "Google"]]
    assert parties("--type", "acquisition") == [["Vela", "Orm"]]
    assert parties("--type", "acquisition", "--changes") == [["Vela", "Orm"], ["Vela", "Orm"]]


def test_feeds_calendar_and_parquet(desk: Path) -> None:
    atom = feedparser.parse(export(desk, "atom").stdout)
    assert not atom.bozo
    assert len(atom.entries) == 4
    assert len(json.loads(export(desk, "jsonfeed", "--company", "Vela").stdout)["items"]) == 2
    assert "DTSTART;VALUE=DATE:20300601" in export(desk, "ical").stdout
    file = desk / "deals.parquet"
    done = export(desk, "parquet", "--out", str(file))
    assert done.output == f"3 deals written to {file}\n"
    assert pl.read_parquet(file)["parties"].to_list()[1] == ["Vela", "Orm"]


def test_an_unknown_form_is_wrong_use(desk: Path) -> None:
    assert export(desk, "xls").exit_code == 2
