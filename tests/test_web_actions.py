"""What a reader may write on the page: mute, correct, label, send again; and who may not."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from monitor.config import load_config
from monitor.evaluate import evaluate
from monitor.models import Event
from monitor.pipeline import open_run
from monitor.pipeline.delivering import muted
from monitor.web.guard import Rules
from tests.webs import NOW, browser, delivered, desk, learn, state, story

RULES = Rules()


@pytest.fixture
def vela(tmp_path: Path) -> Event:
    """The rumour about Vela and Orm as it stands."""
    store = state(tmp_path)
    events = [e for e in learn(store, story()) if e.parties[0] == "Vela"]
    store.append("deliveries", [delivered(events[0], state="dead", detail="no such channel")])
    return events[-1]


@pytest.fixture
def client(tmp_path: Path, vela: Event) -> TestClient:
    return browser(desk(tmp_path), RULES)


def send(client: TestClient, path: str, **fields: str) -> Any:
    return client.post(path, data={"csrf": RULES.csrf, **fields})


@pytest.mark.parametrize(
    ("what", "days", "kind", "names", "until"),
    [
        ("event", "7", "event", None, NOW + timedelta(days=7)),
        ("pair", "30", "pair", ("Vela", "Orm"), NOW + timedelta(days=30)),
        ("company:1", "", "company", ("Orm",), None),
        ("company:0", "90", "company", ("Vela",), NOW + timedelta(days=90)),
        ("feed:0", "", "feed", ("https://news.example/feed",), None),
    ],
)
def test_mute_and_hear_again(
    client: TestClient, tmp_path: Path, vela: Event, what: str, days: str, kind: str, names: Any, until: Any
) -> None:
    page = f"/events/{vela.event_id}"
    answer = send(client, f"{page}/mute", what=what, days=days, why="we know")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?done=muted")
    (mute,) = load_config(tmp_path / "monitor.toml").mutes
    assert (mute.kind, mute.names, mute.why) == (kind, names or (vela.event_id,), "we know")
    assert mute.until == (until and until.date())
    with open_run(load_config(tmp_path / "monitor.toml"), now=NOW, lock=False) as run:
        assert muted(run)(vela, NOW).startswith("muted")
    assert "Raises no alert" in client.get(page).text
    assert "Hear again" in client.get("/alerts").text
    fields = {f"name{number}": name for number, name in enumerate(mute.names)}
    assert send(client, "/mutes/off", **fields).headers["location"] == "/alerts?done=heard"
    assert load_config(tmp_path / "monitor.toml").mutes == ()


def test_correct_a_status(client: TestClient, tmp_path: Path, vela: Event) -> None:
    answer = send(client, f"/events/{vela.event_id}/status", status="denied", why="their chairman said so")
    assert answer.headers["location"].endswith("?done=corrected")
    now = state(tmp_path).rows("events", [vela.event_id])[vela.event_id]
    assert (now.status, now.status_before, now.version, now.change) == ("denied", "rumour", vela.version + 1, None)
    assert "their chairman said so" in client.get(f"/events/{vela.event_id}").text
    (label,) = map(json.loads, (tmp_path / "labels.jsonl").read_text("utf-8").splitlines())
    assert (label["status"], label["parties"]) == ("denied", ["Vela", "Orm"])
    again = send(client, f"/events/{vela.event_id}/status", status="denied")
    assert again.status_code == 303
    assert state(tmp_path).rows("events", [vela.event_id])[vela.event_id].version == vela.version + 1


@pytest.mark.parametrize(("verdict", "status"), [("right", "rumour"), ("wrong", "none")])
def test_verdicts_become_labels(client: TestClient, tmp_path: Path, vela: Event, verdict: str, status: str) -> None:
    answer = send(client, f"/events/{vela.event_id}/label", verdict=verdict)
    assert answer.headers["location"].endswith(f"?done={verdict}")
    rows = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text("utf-8").splitlines()]
    assert {row["status"] for row in rows} == {status}
    assert len(rows) == 2  # both articles
    assert "Labelled: 2 articles" in client.get(f"/events/{vela.event_id}").text


def test_send_again(client: TestClient, tmp_path: Path, vela: Event) -> None:
    page = client.get("/alerts?state=dead").text
    key = page.split('name="key" value="')[1].split('"')[0]
    assert send(client, "/alerts/again", key=key).headers["location"] == "/alerts?done=again"
    row = state(tmp_path).rows("deliveries", [int(key)])[int(key)]
    assert (row.state, row.retry_at) == ("failed", NOW)
    assert send(client, "/alerts/again", key=key).status_code == 404  # it is on its way already


def test_explain(client: TestClient, vela: Event) -> None:
    text = "Vela and Dunmarrow sign licensing deal\nNo terms were given."
    page = send(client, "/explain", what=text).text
    assert '<mark class="party" title="party: Dunmarrow">' in page
    assert "licensing deal" in page
    assert "No deal" in send(client, "/explain", what="Vela opens an office").text
    assert "Vela in talks to buy Orm" in client.get(f"/explain?what={vela.event_id}").text
    assert send(client, "/explain", what="0" * 16).status_code == 404
    assert send(client, "/explain", what="http://127.0.0.1:1/private").status_code == 404
    assert "Meta" not in client.get("/explain?what=Meta+buys+all").text.split("</textarea>")[1]


FORMS = ("/events/{id}/mute", "/events/{id}/status", "/events/{id}/label", "/mutes/off", "/alerts/again", "/explain")


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("word", [None, "", "guess", "é"])
def test_forms_without_our_word_are_refused(
    client: TestClient, tmp_path: Path, vela: Event, path: str, word: Any
) -> None:
    fields = {"what": "event", "status": "denied", "verdict": "wrong"} | ({} if word is None else {"csrf": word})
    assert client.post(path.format(id=vela.event_id), data=fields).status_code == 403
    assert not (tmp_path / "mutes.toml").exists()
    assert not (tmp_path / "labels.jsonl").exists()
    assert state(tmp_path).rows("events", [vela.event_id])[vela.event_id].version == vela.version


@pytest.mark.parametrize("path", FORMS)
def test_other_sites_are_refused_even_with_the_word(client: TestClient, vela: Event, path: str) -> None:
    answer = client.post(
        path.format(id=vela.event_id), data={"csrf": RULES.csrf}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/events/{id}/mute", {"what": "company:9"}),
        ("/events/{id}/mute", {"what": "everything"}),
        ("/events/{id}/mute", {"what": "feed:1"}),
        ("/events/{id}/mute", {"what": "feed:-1"}),
        ("/events/{id}/mute", {}),
        ("/events/{id}/status", {"status": "sold"}),
        ("/events/{id}/label", {"verdict": "perhaps"}),
        ("/events/nothing/mute", {"what": "event"}),
        ("/mutes/off", {"name0": "Vela"}),
        ("/alerts/again", {"key": "1"}),
        ("/alerts/again", {"key": "x"}),
    ],
)
def test_nonsense_changes_nothing(client: TestClient, tmp_path: Path, vela: Event, path: str, fields: Any) -> None:
    assert send(client, path.format(id=vela.event_id), **fields).status_code == 404
    assert not (tmp_path / "mutes.toml").exists()
    assert not (tmp_path / "labels.jsonl").exists()


def test_json_and_huge_forms_are_no_forms(client: TestClient, vela: Event) -> None:
    path = f"/events/{vela.event_id}/mute"
    assert client.post(path, json={"csrf": RULES.csrf, "what": "event"}).status_code == 403
    assert send(client, path, what="event", why="x" * 1_000_000).status_code == 403


def test_a_reading_page_writes_nothing(tmp_path: Path, vela: Event) -> None:
    client = browser(desk(tmp_path), RULES, read_only=True)
    page = client.get(f"/events/{vela.event_id}").text
    assert "<form" not in page
    assert "Send again" not in client.get("/alerts?state=dead").text
    for path in FORMS[:-1]:
        assert send(client, path.format(id=vela.event_id), what="event", verdict="wrong").status_code in (404, 405)
    assert send(client, "/explain", what="Vela and Orm team up").status_code == 200


def test_a_file_that_cannot_be_written_is_told(client: TestClient, tmp_path: Path, vela: Event) -> None:
    (tmp_path / "labels.jsonl").mkdir()
    answer = send(client, f"/events/{vela.event_id}/label", verdict="right")
    assert answer.status_code == 500
    assert "labels" in answer.text


def test_a_mistake_in_a_file_keeps_the_page_up_and_shows(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "watchlist.toml").write_text("[[companies]]\nnam = 1\n", encoding="utf-8")
    page = client.get("/events").text
    assert "unknown key" in page
    assert "Vela and Orm" in page


def test_labels_score_detection(client: TestClient, tmp_path: Path, vela: Event) -> None:
    send(client, f"/events/{vela.event_id}/label", verdict="right")
    assert evaluate(tmp_path / "labels.jsonl", tmp_path / "texts.jsonl").wrong() == []
    send(client, f"/events/{vela.event_id}/label", verdict="wrong")
    assert len(evaluate(tmp_path / "labels.jsonl", tmp_path / "texts.jsonl").wrong()) == 2
