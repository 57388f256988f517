"""The demo's world: whole, consistent, and served as a good web site serves."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from html import escape
from pathlib import Path

import feedparser
import pytest

from monitor.config import load_config, load_watchlist
from monitor.errors import ConfigError
from monitor.models import DEAL_TYPES
from monitor.world import Script, World, load_script, recent_mornings, serve_world
from monitor.world.render import page_path

FOLDER = Path(__file__).parent.parent / "seeds" / "world"
CHANGES = {"new", "confirmed", "completed", "denied", "terminated", "revived", "corroborated", "updated"}
STATUSES = {"rumour", "announced", "completed", "denied", "terminated"}
SOURCINGS = {"party_statement", "named_report", "unnamed_sources", "unattributed"}


@pytest.fixture(scope="module")
def script() -> Script:
    return load_script(FOLDER)


@pytest.fixture
def world() -> Iterator[World]:
    with serve_world(FOLDER) as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, Message, bytes]:
    asked = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def entries(world: World, path: str) -> list[dict[str, str]]:
    """Titles, links and ids, by feedparser or from JSON."""
    _, headers, body = get(world.url + path)
    if path.endswith(".json"):
        return [{"title": i["title"], "link": i["url"], "id": i["id"]} for i in json.loads(body)["items"]]
    parsed = feedparser.parse(body, response_headers={"content-type": headers["Content-Type"]})
    return [{key: e.get(key, "") for key in ("title", "link", "id", "published")} for e in parsed.entries]


# --- what the files say ----------------------------------------------------------------------------------------------


def test_every_article_has_an_outlet_a_feed_and_something_to_say(script: Script) -> None:
    outlets = {o.id for o in script.outlets}
    carried = {p.id for feed in script.feeds for p in script.carried(feed, len(script.mornings))}
    for piece in script.articles:
        assert piece.outlet in outlets, piece.id
        assert piece.id in carried, piece.id
        assert 1 <= piece.morning <= len(script.mornings), piece.id
        assert piece.title
        assert piece.summary
        assert piece.paragraphs
        assert piece.page in ("", "missing", "consent", "empty"), piece.id
        if not piece.page:
            assert 60 <= len(" ".join(piece.paragraphs).split()) <= 350, piece.id


def test_every_article_is_expected_or_quiet_and_never_both(script: Script) -> None:
    behind = {name for expected in script.expected for name in expected.articles}
    assert behind <= {p.id for p in script.articles}
    for piece in script.articles:
        assert not (piece.quiet and piece.id in behind), piece.id
    silent = {p.id for p in script.articles if not p.quiet} - behind
    assert silent == {  # these tell of known deals: an outlet more, no alert
        "meta-talks-morrow",
        "lumarque-castellane-copperbyte",
    }


def test_the_expected_alerts_use_the_words_of_the_project(script: Script) -> None:
    watched = {c.name for c in load_watchlist(FOLDER / "watchlist.toml")}
    by_id = {p.id: p for p in script.articles}
    for expected in script.expected:
        assert expected.change in CHANGES
        assert expected.status in STATUSES
        assert set(expected.deal_type) <= set(DEAL_TYPES)
        assert set(expected.sourcing) <= SOURCINGS
        assert watched & set(expected.parties), expected
        for name in expected.articles:
            piece = by_id[name]
            assert piece.morning <= expected.morning
            text = " ".join((piece.title, piece.summary, piece.body))
            assert all(party in text for party in expected.parties), (name, expected.parties)


def test_the_world_covers_the_stories_that_the_monitor_is_for(script: Script) -> None:
    changes = {e.change for e in script.expected}
    assert {"new", "confirmed", "denied", "terminated", "corroborated"} <= changes
    types = {t for e in script.expected if e.change == "new" for t in e.deal_type}
    assert types == set(DEAL_TYPES)
    four = next(e for e in script.expected if "Ledgerwick" in e.parties)
    assert len({p.outlet for p in script.articles if p.id in four.articles}) == 4
    assert {p.page for p in script.articles} == {"", "missing", "consent", "empty"}
    assert any(p.undated for p in script.articles)
    assert {f.format for f in script.feeds} == {"rss", "rdf", "atom", "json"}
    assert {f.broken for f in script.feeds} == {"", "missing", "html"}
    guids = [p.guid for p in script.articles if p.guid]
    assert len(guids) == len(set(guids)) + 1


def test_a_wrong_world_is_told_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"world\.toml"):
        load_script(tmp_path)
    (tmp_path / "world.toml").write_text(
        "mornings = [2025-01-01T06:00:00Z]\nfeeds = []\nexpected = []\noutlets = [{idd = 'x'}]"
    )
    with pytest.raises(ConfigError, match="idd"):
        load_script(tmp_path)


# --- the site --------------------------------------------------------------------------------------------------------


def test_each_feed_carries_what_was_published_by_the_morning(world: World) -> None:
    for morning in (1, 2, 3):
        world.morning = morning
        for feed in world.script.feeds:
            if feed.broken:
                continue
            listed = entries(world, feed.path)
            expected = world.script.carried(feed, morning)
            assert [e["title"].split(" - ")[0] for e in listed] == [p.title.split(" - ")[0] for p in expected], (
                feed.path
            )
            assert listed, f"{feed.path} is empty on morning {morning}"


def test_broken_feeds_are_broken_each_in_its_way(world: World) -> None:
    assert get(world.url + "/quietquarter/rss.xml")[0] == 404
    status, headers, body = get(world.url + "/oldharbour/feed")
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert b"<item" not in body


def test_the_mislabelled_feed_is_not_utf_8_and_reads_well_all_the_same(world: World) -> None:
    world.morning = 2
    _, headers, body = get(world.url + "/pharmabeacon/rss.xml")
    assert headers.get_content_charset() == "utf-8"
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    assert "Hélianthe’s" in entries(world, "/pharmabeacon/rss.xml")[0]["title"]


def test_two_entries_share_a_guid_and_one_has_no_date(world: World) -> None:
    ids = [e["id"] for e in entries(world, "/loopandlumen/feed.json")]
    assert len(ids) - len(set(ids)) == 1
    world.morning = 2
    dates = {e["title"][:13]: e["published"] for e in entries(world, "/copperbyte/atom.xml")}
    assert [title for title, date in dates.items() if not date] == ["Chip designer"]


def test_the_aggregator_links_with_trackers_to_pages_that_answer(world: World) -> None:
    for entry in entries(world, "/tideline/business.xml"):
        assert "utm_source" in entry["link"]
        assert get(entry["link"])[0] == 200


def test_a_revised_article_keeps_its_address_and_changes_headline_and_guid(world: World) -> None:
    world.morning = 2
    before = next(e for e in entries(world, "/harbourwire/rss.xml") if "Ledgerwick" in e["title"])
    world.morning = 3
    after = next(e for e in entries(world, "/harbourwire/rss.xml") if "Ledgerwick" in e["title"])
    assert before["link"] == after["link"]
    assert before["id"] != after["id"]
    assert after["title"].startswith("UPDATE 2-")
    assert b"Some analysts called the price steep" in get(after["link"])[2]


def test_pages_hold_the_article_and_what_stands_around_it(world: World) -> None:
    world.morning = 3
    for piece in world.script.articles:
        status, _, body = get(world.url + page_path(world.script, piece))
        text = body.decode()
        if piece.page == "missing":
            assert status == 404
        elif piece.page == "consent":
            assert "842 partners" in text
            assert piece.title not in text
        elif piece.page == "empty":
            assert piece.paragraphs[0] not in text
        else:
            assert status == 200
            assert all(escape(p, quote=False) in text for p in piece.on(3).paragraphs)
            assert "Privacy" in text or "cookies" in text
    assert get(world.url + "/nowhere")[0] == 404


def test_an_article_is_not_there_before_its_morning(world: World) -> None:
    late = next(p for p in world.script.articles if p.morning == 3)
    assert get(world.url + page_path(world.script, late))[0] == 404
    world.morning = 3
    assert get(world.url + page_path(world.script, late))[0] == 200


def test_conditional_requests_are_answered_304_until_something_changes(world: World) -> None:
    for feed in world.script.feeds:
        if feed.broken:
            continue
        url = world.url + feed.path
        world.morning = 1
        _, headers, body = get(url)
        asked = {}
        if headers["ETag"]:
            asked["If-None-Match"] = headers["ETag"]
        if headers["Last-Modified"]:
            asked["If-Modified-Since"] = headers["Last-Modified"]
        assert bool(headers["ETag"]) == (feed.validators in ("etag", "both"))
        assert bool(headers["Last-Modified"]) == (feed.validators in ("modified", "both"))
        status, again, nothing = get(url, **asked)
        assert (status, nothing) == (304, b""), feed.path
        assert again["ETag"] == headers["ETag"]
        world.morning = 2
        status, _, changed = get(url, **asked)
        assert (status == 200) == (world.script.carried(feed, 2) != world.script.carried(feed, 1)), feed.path
        assert changed != body or status == 304


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": '"nonsense"'}, 200),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"nonsense"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200),  # the tag counts
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00"}, 200),  # no zone
    ],
)
def test_validators_as_rfc_9110_has_them(world: World, headers: dict[str, str], status: int) -> None:
    assert get(world.url + "/harbourwire/rss.xml", **headers)[0] == status


def test_gzip_where_it_is_offered(world: World) -> None:
    plain = get(world.url + "/harbourwire/rss.xml")
    packed = get(world.url + "/harbourwire/rss.xml", Accept_Encoding="gzip")
    assert plain[1]["Content-Encoding"] is None
    assert packed[1]["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == plain[2]
    assert packed[1]["ETag"] == plain[1]["ETag"]


def test_the_log_tells_a_reader_that_reads_twice(world: World) -> None:
    url = world.url + "/harbourwire/rss.xml"
    _, headers, _ = get(url, User_Agent="polite/1.0")
    get(url, If_None_Match=headers["ETag"])
    assert world.read_twice() == []
    assert [(h.status, h.conditional, h.sent > 0) for h in world.hits] == [(200, False, True), (304, True, False)]
    assert world.hits[0].user_agent == "polite/1.0"
    world.morning = 2
    get(url, If_None_Match=headers["ETag"])
    assert world.read_twice() == []  # another body
    get(url)
    assert world.read_twice() == ["/harbourwire/rss.xml"]


def test_the_configuration_that_it_writes_loads_and_names_its_feeds(world: World, tmp_path: Path) -> None:
    config = load_config(world.write_config(tmp_path / "demo"))
    assert [f.url for f in config.feeds] == [world.url + f.path for f in world.script.feeds]
    assert config.first_poll == "alert"
    assert config.fetch.allow_hosts == ("127.0.0.1",)
    assert "Meta" in [c.name for c in config.watchlist]


def test_the_mornings_can_be_others(script: Script) -> None:
    start = datetime(2030, 5, 1, 6, tzinfo=UTC)
    mornings = tuple(start + timedelta(days=n) for n in range(3))
    with serve_world(FOLDER, morning=2, mornings=mornings) as world:
        assert world.now == mornings[1]
        listed = entries(world, "/harbourwire/rss.xml")
        assert all(
            e["link"].startswith(f"{world.url}/harbourwire/2030/04/30/") or "/2030/05/" in e["link"] for e in listed
        )


def test_the_days_that_articles_name_are_those_of_their_mornings(script: Script) -> None:
    def body(name: str, of: Script) -> str:
        return next(p.on(3).body for p in of.articles if p.id == name)

    assert body("draymont-kestrin-denial", script).startswith("Aug 25 (Harbour Wire)")
    assert "fell 4% on Tuesday" in body("solvaine-ledgerwick-harbourwire", script)
    assert "decided on Friday" in body("quiet-drug-label", script)
    moved = load_script(FOLDER, tuple(m + timedelta(days=3) for m in script.mornings))
    assert "said on Thursday" in body("draymont-kestrin-denial", moved)
    assert not any("{" in p.title + p.summary + p.on(3).body for p in script.articles)


@pytest.mark.parametrize(("hour", "last"), [(5, 21), (6, 22), (23, 22)])
def test_recent_mornings_end_with_the_last_one_that_has_come(hour: int, last: int) -> None:
    mornings = recent_mornings(datetime(2026, 11, 22, hour, 30 if hour != 6 else 0, tzinfo=UTC))
    assert [m.day for m in mornings] == [last - 2, last - 1, last]
    assert {m.hour for m in mornings} == {6}


def test_two_worlds_live_side_by_side_and_a_taken_port_is_told() -> None:
    with serve_world(FOLDER) as one, serve_world(FOLDER) as two:
        assert one.url != two.url
        assert get(one.url + "/harbourwire/rss.xml")[0] == get(two.url + "/harbourwire/rss.xml")[0] == 200
        with pytest.raises(OSError, match="address"), serve_world(FOLDER, port=int(one.url.rsplit(":", 1)[1])):
            pass
