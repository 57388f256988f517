"""The page as a reader asks it: lists, lives, companies, the picture, feeds and alerts; live and as a folder."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from starlette.testclient import TestClient

from monitor.config import load_config
from monitor.errors import ConfigError
from monitor.events import fold
from monitor.events.amend import merge
from monitor.models import Event
from monitor.web.folder import write_folder
from monitor.web.life import last_words
from tests.deals import SETTINGS, claim, on
from tests.webs import NOW, browser, delivered, desk, learn, state, story


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Event]:
    """What the desk knows, by the first party of the deal."""
    store = state(tmp_path)
    seen = claim("Vela:acquirer, Orm:target", "acquisition", day=2, title='A "sighting" of the rumour', outlet="Echo")
    events = learn(store, [*story(), seen])
    store.append("deliveries", [delivered(events[0])])
    return {event.parties[0]: event for event in events}


@pytest.fixture
def client(tmp_path: Path, known: dict[str, Event]) -> TestClient:
    return browser(desk(tmp_path))


def deals(html: str) -> list[str]:
    return re.findall(r'class="names" href="[^"]*">([^<]*)<', html)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Quib and Sorrel", "Vela and Orm"]),
        ("q=orm", ["Vela and Orm"]),
        ("q=ORM+ledger", ["Vela and Orm"]),
        ("q=near+a+%243", ["Vela and Orm"]),  # a sentence of a version that is not the newest counts too
        ("q=in+talks", ["Vela and Orm"]),
        ("q=%22sighting", ["Vela and Orm"]),  # of an article that changed nothing, beside others of its version
        ("q=orm+sorrel", []),
        ("q=.*", []),  # no pattern, just text
        ("company=quib", ["Quib and Sorrel"]),
        ("company=qui", []),
        ("type=acquisition", ["Vela and Orm"]),
        ("status=announced", ["Quib and Sorrel"]),
        ("evidence=single_origin&status=rumour", ["Vela and Orm"]),
        ("since=7d", ["Quib and Sorrel", "Vela and Orm"]),
        ("since=2999-01-01", []),
        ("until=2001-01-01", []),
        ("status=nonsense&page=x&since=never", ["Quib and Sorrel", "Vela and Orm"]),
        ("page=99", ["Quib and Sorrel", "Vela and Orm"]),
    ],
)
def test_the_list_filters(client: TestClient, query: str, found: list[str]) -> None:
    answer = client.get(f"/events?{query}")
    assert answer.status_code == 200
    assert sorted(deals(answer.text)) == found


def test_a_life_shows_articles_sentences_and_what_differs(client: TestClient, known: dict[str, Event]) -> None:
    text = client.get(f"/events/{known['Vela'].event_id}").text
    assert '<mark class="party" title="party: Vela">Vela</mark> is <mark class="status"' in text
    assert "<code>acquire</code>" in text
    assert "Morrow Daily" in text
    assert re.search(r'<td class="differs">\$2 billion', text)
    assert "console, version 1" in text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/companies", ["Quib", "watched, and no deal yet: Quietco"]),
        ("/companies/Vela", ["also as Vela Group", "Vela and Orm"]),
        ("/companies/vela", ["<h1>Vela</h1>"]),
        ("/companies/Quietco", ["<h1>Quietco</h1>"]),
        ("/graph", ['class="tie is-rumour"', 'class="tie is-firm"', "Quib</a> and"]),
        ("/graph?day=1", ["Who deals with whom"]),
        ("/volumes", ["Changes to deals by day", "new rumours"]),
        ("/feeds", ["https://news.example/feed", "not asked yet"]),
        ("/alerts", ["console", "Vela and Orm"]),
        ("/alerts?state=dead", ["Nothing was sent"]),
    ],
)
def test_other_pages(client: TestClient, path: str, words: list[str]) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    for word in words:
        assert word in answer.text


@pytest.mark.parametrize("path", ["/events/nothing", "/companies/Nobody", "/nothing", "/assets/x/pages.py"])
def test_what_is_not_there(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_new_deals_show_at_once(client: TestClient, tmp_path: Path) -> None:
    assert len(deals(client.get("/events").text)) == 2
    learn(state(tmp_path), [c for c in story() if c.parties[0] == "Quib"])
    assert len(deals(client.get("/events").text)) == 3


def test_an_empty_desk_has_every_page(tmp_path: Path) -> None:
    client = browser(desk(tmp_path))
    for path in ("/events", "/companies", "/graph", "/volumes", "/feeds", "/alerts"):
        assert client.get(path).status_code == 200, path
    assert "No deals yet" in client.get("/events").text


@pytest.mark.parametrize(
    ("form", "kind", "word"),
    [
        ("csv", "text/csv", "event_id,version"),
        ("jsonl", "application/jsonl", '"headline": "Rumour: '),
        ("atom", "application/atom+xml", "<entry>"),
        ("json", "application/feed+json", "https://jsonfeed.org/version/1.1"),
    ],
)
def test_what_is_found_can_be_taken_along(client: TestClient, form: str, kind: str, word: str) -> None:
    answer = client.get(f"/events.{form}?q=orm")
    assert answer.headers["content-type"].startswith(kind)
    assert word in answer.text
    assert "Orm" in answer.text
    assert "Sorrel" not in answer.text
    assert f"/events.{form}?q=orm" in client.get("/events?q=orm").text


def test_a_merged_deal_leads_to_the_one_it_lives_on_in(client: TestClient, tmp_path: Path) -> None:
    store = state(tmp_path)
    one, other = learn(store, [claim("Ilex, Juno"), claim("Ilex, Kite")])
    store.append("events", merge(one, other, NOW))
    answer = client.get(f"/events/{other.event_id}")
    assert (answer.status_code, answer.headers["location"]) == (301, f"/events/{one.event_id}")
    assert client.get("/events?company=Kite").text.count('class="names"') == 1


def test_the_picture_of_one_company(client: TestClient) -> None:
    text = client.get("/graph?company=Vela").text
    assert "Who deals with Vela" in text
    assert 'data-company="Orm"' in text
    assert 'data-company="Quib"' not in text
    assert client.get("/graph?company=Nobody").status_code == 200


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, known: dict[str, Event]) -> None:
    config = load_config(desk(tmp_path))
    with pytest.raises(ConfigError, match="no report wrote"):
        write_folder(tmp_path, config, state(tmp_path), NOW, 10)
    assert (tmp_path / "monitor.toml").exists()
    out = tmp_path / "out"
    assert write_folder(out, config, state(tmp_path), NOW, 1) == (1, 2)
    assert "the newest of 2 deals" in (out / "index.html").read_text("utf-8")
    assert write_folder(out, config, state(tmp_path), NOW, 10) == (2, 2)  # its own it writes again


@contextmanager
def serve(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "monitor.cli", "--config", str(folder), "serve", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_serve_answers_and_ends_with_ctrl_c(tmp_path: Path, known: dict[str, Event]) -> None:
    desk(tmp_path)
    with serve(tmp_path, "--port", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        address = re.search(r"http://[^ ]+", process.stdout.readline())
        assert address is not None
        with urlopen(f"{address[0]}events", timeout=20) as answer:
            assert "Vela and Orm" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(15) in (0, 130)
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("settings", "words", "told"),
    [
        ("", ("--host", "0.0.0.0"), "there is no token"),
        ("[page]\ntoken = 'short'\n", (), "this token is too short"),
        ("[page]\ntoken = 'env:NOT_SET_ANYWHERE'\n", (), "NOT_SET_ANYWHERE is not set"),
        ("[page]\nhosts = 'a'\n", (), "not a list"),
    ],
)
def test_serve_says_what_is_missing(tmp_path: Path, settings: str, words: tuple[str, ...], told: str) -> None:
    desk(tmp_path, settings)
    with serve(tmp_path, "--port", "0", *words) as process:
        _, error = process.communicate(timeout=30)
    assert process.returncode == 2
    assert told in error


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, []),
        ({"parties": ("Vela Group", "Orm Holdings")}, []),  # the same companies under longer names
        ({"parties": ("Vela", "Dun")}, ["also Dun; not Orm"]),
        ({"value": "$2bn"}, []),  # the same sum, written otherwise
        ({"value": "$3 billion"}, ["$3 billion"]),
        ({"status": "denied"}, ["denied"]),
        ({"status": "denied", "published": on(-5)}, []),  # overtaken, and marked as that
        ({"deal_type": "investment"}, ["investment"]),
    ],
)
def test_what_counts_as_a_difference(told: dict[str, Any], words: list[str]) -> None:
    known = claim("Vela, Orm", "acquisition", day=0, value="$2 billion", watched=("Vela",))
    (event,) = fold((), [known], NOW, SETTINGS)
    (said,) = last_words(event, [replace(known, outlet="Echo", **told)])
    cells = (said.status, said.deal_type, said.parties, said.value)
    assert [cell.text for cell in cells if cell.differs] == words
    assert said.status.overtaken == ("published" in told)
