"""The page as a reader asks it: lists, lives, companies, the picture, feeds and alerts; live and as a folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitor.models import Event
from tests.webs import browser, delivered, desk, learn, state, story


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Event]:
    """What the desk knows, by the first party of the deal."""
    store = state(tmp_path)
    events = learn(store, story())
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
