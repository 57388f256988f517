"""`label`: stored articles become labels that `evaluate` takes, and a label can be corrected."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.evaluate import evaluate
from monitor.models import Article
from monitor.store import open_store

WATCH = '[[companies]]\nname = "Acme"\naliases = ["Acme Corp"]\n'
ARTICLES = {
    "aaaaaaaaaaaaaaaa": ("Acme signs licensing deal with Dunmarrow", "The two gave no terms."),
    "bbbbbbbbbbbbbbbb": ("Acme opens a new office", "Staff moved in on Monday."),
}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "monitor.toml").write_text('state = "state"\n', encoding="utf-8")
    (tmp_path / "feeds.toml").write_text("", encoding="utf-8")
    (tmp_path / "watchlist.toml").write_text(WATCH, encoding="utf-8")
    store = open_store(str(tmp_path / "state"))
    now = datetime(2026, 3, 2, 7, tzinfo=UTC)
    store.append(
        "articles",
        [Article(article_id=key, title=title, text=text, read_at=now) for key, (title, text) in ARTICLES.items()],
    )
    return tmp_path


def label(desk: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["--config", str(desk), "label", *words])
    return result.exit_code, result.output + str(result.exception or "")


def test_a_label_says_what_detection_says_until_corrected(desk: Path) -> None:
    assert label(desk, "aaaaaaaaaaaaaaaa", "--right")[0] == 0
    (row,) = map(json.loads, (desk / "labels.jsonl").read_text(encoding="utf-8").splitlines())
    assert (row["parties"], row["deal_type"], row["status"]) == (["Acme", "Dunmarrow"], "licensing", "announced")
    assert label(desk, "aaaaaaaaaaaaaaaa", "--status", "denied", "--note", "no")[0] == 0
    (row,) = map(json.loads, (desk / "labels.jsonl").read_text(encoding="utf-8").splitlines())
    assert (row["status"], row["accept_status"], row["label_note"]) == ("denied", ["denied"], "no")


def test_evaluate_takes_the_labels(desk: Path) -> None:
    assert label(desk, "aaaaaaaaaaaaaaaa", "--right")[0] == 0
    assert label(desk, "bbbbbbbbbbbbbbbb", "--none")[0] == 0
    report = evaluate(desk / "labels.jsonl", desk / "texts.jsonl")
    assert report.rates()["whole answer precision"].hits == 1
    assert report.wrong() == []
    assert label(desk, "aaaaaaaaaaaaaaaa", "--none")[0] == 0
    assert [one.id for one in evaluate(desk / "labels.jsonl", desk / "texts.jsonl").wrong()] == ["aaaaaaaaaaaaaaaa"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("aaaaaaaaaaaaaaaa",), "say what is true of it"),
        (("cccccccccccccccc", "--right"), "no article or deal has this id"),
        (("bbbbbbbbbbbbbbbb", "--status", "rumour"), "name its --parties"),
    ],
)
def test_a_label_that_says_nothing_is_refused(desk: Path, words: tuple[str, ...], told: str) -> None:
    code, text = label(desk, *words)
    assert code != 0
    assert told in text
    assert not (desk / "labels.jsonl").exists()
