"""Scores on labels written here: each axis counted alone, the bound after Wilson, bad lines named."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ConfigError, RuleError
from monitor.evaluate import Outcome, Rate, Report, evaluate
from monitor.models import Claim

CLAIM = Claim(claim_key=1, article_id="x", parties=("Acme",), deal_type="partnership", status="announced")
# id: (title, what its label says)
ITEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "right": ("Acme to buy Borealis", {}),
    "wrong status": ("Acme in talks to buy Borealis", {}),
    "accepted status": ("Acme in talks to buy Borealis", {"accept_status": ["announced", "rumour"]}),
    "wrong type": ("Acme signs licensing deal with Borealis", {}),
    "accepted type": ("Acme signs licensing deal with Borealis", {"accept_deal_type": ["acquisition", "licensing"]}),
    "wrong parties": ("Acme to buy Borealis", {"parties": ["Acme", "Cyclon"]}),
    "done counts as announced": ("Acme completes acquisition of Borealis", {}),
    "ended is terminated": ("Acme scraps acquisition of Borealis", {"status": "ended"}),
    "missed": ("Acme hires a chef", {}),
    "silent": ("Acme hires a chef", {"status": "none", "deal_type": "none", "parties": []}),
    "false alarm": ("Acme to buy Borealis", {"status": "none", "deal_type": "none", "parties": []}),
    "two deals": ("Acme partners with Cyclon, buys Borealis", {}),
    "one too many": ("Acme, Borealis and Cyclon to merge", {}),
    "left out": ("Acme to buy Borealis", {"status": "rumour", "ambiguous": True}),
}
LABEL = {
    "watch": [{"name": "Acme"}, {"name": "Borealis", "aliases": ["Borealis Corp"]}],
    "parties": ["Acme", "Borealis"], "deal_type": "acquisition", "status": "announced",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader is built for each label: without the catalogue that takes no time."""
    monkeypatch.setattr("monitor.evaluate.catalogue", lambda: ())


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(folder: Path, *names: str, body: str = "", one_side: bool = False) -> Report:
    labels = write(folder / "labels.jsonl", [{"id": name, **LABEL, **ITEMS[name][1]} for name in names])
    texts = write(folder / "texts.jsonl", [{"id": name, "title": ITEMS[name][0], "body": body} for name in names])
    return evaluate(labels, texts, one_side=one_side)


@pytest.mark.parametrize(
    ("name", "parties", "deal_type", "status"),
    [
        ("right", 1, 1, 1), ("wrong status", 1, 1, 0), ("accepted status", 1, 1, 1), ("wrong type", 1, 0, 1),
        ("accepted type", 1, 1, 1), ("wrong parties", 0, 1, 1), ("done counts as announced", 1, 1, 1),
        ("ended is terminated", 1, 1, 1), ("two deals", 1, 1, 1), ("one too many", 0, 1, 1),
    ],
)  # fmt: skip
def test_each_axis_is_counted_alone(name: str, parties: int, deal_type: int, status: int, tmp_path: Path) -> None:
    report = run(tmp_path, name)
    axes = {axis: rate.hits for axis, rate in report.rates().items()}
    whole = parties * deal_type * status
    assert axes == {
        "fire precision": 1, "fire recall": 1, "status right (fired)": status, "type right (fired)": deal_type,
        "parties exact (fired)": parties, "whole answer precision": whole, "whole answer recall": whole,
    }  # fmt: skip
    assert [one.id for one in report.wrong()] == ([] if whole else [name])


def test_alarms_and_silence(tmp_path: Path) -> None:
    report = run(tmp_path, "right", "missed", "silent", "false alarm", "left out")
    rates = {name: (rate.hits, rate.total) for name, rate in report.rates().items()}
    assert rates["fire precision"] == (1, 2) and rates["fire recall"] == (1, 2)
    assert rates["whole answer precision"] == (1, 2) and rates["whole answer recall"] == (1, 2)
    assert [one.id for one in report.wrong()] == ["missed", "false alarm"]
    assert report.f1("fire") == report.f1("whole answer") == 0.5
    assert report.text().splitlines()[0] == "4 strict items"


def test_another_event_of_a_silent_text_is_no_false_alarm(tmp_path: Path) -> None:
    for others, precision in (([], 0), ([{"parties": ["acme", "BOREALIS"], "status": "announced"}], None)):
        label = {"id": "x", **LABEL, "status": "none", "deal_type": "none", "parties": [], "other_events": others}
        labels = write(tmp_path / "l.jsonl", [label])
        texts = write(tmp_path / "t.jsonl", [{"id": "x", "title": "Acme to buy Borealis"}])
        rate = evaluate(labels, texts).rates()["fire precision"]
        assert (rate.hits if rate.total else None) == precision


def test_one_side_watched(tmp_path: Path) -> None:
    rate = run(tmp_path, "right", "missed", one_side=True).rates()["other side named"]
    assert (rate.hits, rate.total) == (2, 2)  # both ways; nothing is scored where nothing fired
    for name in ("wrong parties", "one too many"):
        assert run(tmp_path, name, one_side=True).rates()["other side named"].hits == 0
    assert "other side named" not in run(tmp_path, "right").rates()


def test_the_body_is_read_too(tmp_path: Path) -> None:
    assert run(tmp_path, "missed", body="Acme agreed to buy Borealis Corp, it said.").rates()["fire recall"].hits == 1


@pytest.mark.parametrize(
    ("hits", "total", "bound"),
    [
        # Wilson's lower bound at z = 1.2816, worked out by hand from the roots of (p - x)^2 = z^2 x (1 - x) / n
        (8, 10, 0.6016), (0, 10, 0.0), (10, 10, 0.8589), (1, 1, 0.3784), (1, 2, 0.1642), (0, 0, 0.0),
    ],
)  # fmt: skip
def test_bound(hits: int, total: int, bound: float) -> None:
    rate = Rate(hits=hits, total=total)
    assert rate.bound == pytest.approx(bound, abs=5e-5)
    assert rate.bound <= rate.value + 1e-12
    if hits and total:  # the bound solves Wilson's equation
        x, z = rate.bound, 1.2816
        assert (rate.value - x) ** 2 == pytest.approx(z * z * x * (1 - x) / total)


def test_more_of_the_same_makes_surer() -> None:
    bounds = [Rate(hits=9 * n, total=10 * n).bound for n in (1, 10, 100, 1000)]
    assert bounds == sorted(bounds) and math.isclose(bounds[-1], 0.9, abs_tol=0.005)


def test_scores_of_nothing() -> None:
    empty = Report()
    assert {rate.value for rate in empty.rates().values()} == {0.0}
    assert empty.f1("fire") == 0.0 and empty.wrong() == []


def test_f1_and_the_form_for_programs() -> None:
    yes = Outcome(id="a", title="", expected=True, claims=(CLAIM,), parties=True, deal_type=True, status=True)
    part = Outcome(id="b", title="", expected=True, claims=(CLAIM,), parties=True, deal_type=True, status=False)
    missed, alarm = (Outcome(id=x, title="", expected=x == "c", claims=(CLAIM,) * (x == "d")) for x in "cd")
    report = Report(outcomes=[yes, part, missed, alarm])
    assert report.f1("fire") == pytest.approx(2 / 3) and report.f1("whole answer") == pytest.approx(1 / 3)
    data = json.loads(json.dumps(report.as_dict()))
    assert (data["items"], data["wrong"]) == (4, ["b", "c", "d"])
    assert data["scores"]["status right (fired)"] == {"value": 0.5, "bound": 0.1642, "hits": 1, "total": 2}
    assert data["scores"]["whole answer F1"] == {"value": 0.3333}


GOOD = json.dumps({"id": "x", **LABEL})


@pytest.mark.parametrize(
    ("labels", "texts", "where", "said"),
    [
        (f"{GOOD}\n{{oops\n", '{"id": "x"}\n', "labels.jsonl: line 2", "not JSON"),
        (f"\n\n{GOOD}\n[1]\n", '{"id": "x"}\n', "labels.jsonl: line 4", "an `id`"),
        ('{"status": "none"}\n', '{"id": "x"}\n', "labels.jsonl: line 1", "an `id`"),
        (GOOD, '{"id": "x"}\nnull\n', "texts.jsonl: line 2", "an `id`"),
        (GOOD, '{"id": "y"}\n', "labels.jsonl: line 1", "no text has the id 'x'"),
    ],
)
def test_a_bad_line_is_named(labels: str, texts: str, where: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text(labels, encoding="utf-8")
    (tmp_path / "texts.jsonl").write_text(texts, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        evaluate(tmp_path / "labels.jsonl", tmp_path / "texts.jsonl")
    assert where in str(caught.value) and said in str(caught.value) and caught.value.remedy


def test_rules_of_the_user_are_scored(tmp_path: Path) -> None:
    rules = tmp_path / "own.toml"
    rules.write_text('[[triggers]]\nid = "mine"\n', encoding="utf-8")
    with pytest.raises(RuleError, match=r"own\.toml"):
        evaluate(tmp_path / "l", tmp_path / "t", [rules])
