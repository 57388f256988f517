"""The steps together, over real HTTP and real tables: nothing lost, nothing repeated, oddities told as they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load_config
from monitor.errors import LockHeld
from monitor.models import Article, Delivery, Entry, Event, FeedState
from monitor.pipeline import RunFailed, open_run
from monitor.store import Store, open_store
from tests.pipelines import DEAL, NOISE, NOW, Desk, item, page, rss, serve_feed, serve_page
from tests.servers import LoopbackServer, answer, in_turn

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def store_of(desk: Desk) -> Store:
    return open_store(str(desk.folder / "state"))


def rows(desk: Desk, table: str) -> tuple:  # type: ignore[type-arg]
    store = store_of(desk)
    return store.load(table, store.scan(table))


def two_articles(server: LoopbackServer) -> str:
    deal, noise = serve_page(server, "/deal", DEAL), serve_page(server, "/noise", NOISE)
    return serve_feed(server, "/feed", [item(1, DEAL, deal), item(2, NOISE, noise)])


def test_a_new_deal_becomes_one_alert(server: LoopbackServer, desk: Desk) -> None:
    desk.write([two_articles(server)])
    report = desk.poll()
    assert len(desk.alerts) == 1
    assert "Meta" in desk.subjects[0]
    assert "Midjourney" in desk.subjects[0]
    assert (report.entries_new, report.articles, report.sent) == (2, 2, 1)
    assert {a.state for a in rows(desk, "articles")} == {"full"}
    assert report.problems == []


def test_polling_again_at_once_asks_for_no_body_and_stores_nothing(server: LoopbackServer, desk: Desk) -> None:
    desk.write([two_articles(server)])
    desk.poll()
    before = {table: len(rows(desk, table)) for table in ("entries", "articles", "claims", "events", "deliveries")}
    seen = len(server.hits)
    report = desk.poll()
    assert [(h.path, h.headers.get("if-none-match")) for h in server.hits[seen:]] == [("/feed", '"1"')]
    assert report.feeds_not_modified == 1
    assert {table: len(rows(desk, table)) for table in before} == before
    assert len(desk.alerts) == 1


def test_a_body_that_comes_again_without_304_changes_nothing(server: LoopbackServer, desk: Desk) -> None:
    deal = serve_page(server, "/deal", DEAL)
    desk.write([server.on("/feed", answer(rss([item(1, DEAL, deal)])))])
    desk.poll()
    report = desk.poll()
    assert (report.feeds_not_modified, report.entries_new, len(desk.alerts)) == (1, 0, 1)
    assert server.count("/deal") == 1


def test_a_feed_that_is_not_due_is_left_alone(server: LoopbackServer, desk: Desk) -> None:
    desk.write([two_articles(server)])
    desk.poll(everything=False)
    assert desk.poll(timedelta(minutes=5), everything=False).feeds == 0
    assert desk.poll(timedelta(minutes=20), everything=False).feeds == 1


def test_each_oddity_is_told_for_what_it_is_and_stops_nothing(server: LoopbackServer, desk: Desk) -> None:
    deal = serve_page(server, "/deal", DEAL)
    lost = server.url("/lost")
    empty = server.on("/empty", answer(b"", headers=HTML))
    undated = serve_page(server, "/undated", NOISE)
    twin = serve_page(server, "/twin", "A second text under the same guid")
    feeds = {
        "dead": "http://127.0.0.1:9/feed",
        "gone": server.url("/nowhere"),
        "page": server.on("/page", answer(page("We moved"), headers=HTML)),
        "latin": server.on(
            "/latin",
            answer(
                rss([item(7, "Café Zürich eröffnet", server.url("/lost2"))]).decode().encode("latin-1"),
                headers={"Content-Type": "application/rss+xml; charset=utf-8"},
            ),
        ),
        "good": serve_feed(
            server,
            "/feed",
            [
                item(1, DEAL, deal),
                item(2, "A text whose page is lost", lost),
                item(3, "A text whose page is empty", empty),
                item(4, NOISE, undated, date=""),
                item(5, NOISE, undated, guid="same"),
                item(6, "A second text under the same guid", twin, guid="same"),
            ],
        ),
    }
    desk.write(list(feeds.values()))
    report = desk.poll()
    kinds = {(p.where, p.kind) for p in report.problems}
    assert (feeds["dead"], "connect") in kinds
    assert (feeds["gone"], "not_found") in kinds
    assert (feeds["page"], "not_a_feed") in kinds
    assert (lost, "not_found") in kinds
    assert (empty, "empty") in kinds
    assert report.entries_undated == 1
    assert any("Zürich" in e.title for e in rows(desk, "entries"))
    assert len(desk.alerts) == 1
    articles: dict[str, Article] = {a.url: a for a in rows(desk, "articles")}
    for url in (lost, empty):
        assert (articles[url].state, articles[url].text, articles[url].read_at) == ("missing", "", None)
        assert articles[url].retry_at is not None
    states: dict[str, FeedState] = {s.url: s for s in rows(desk, "feeds")}
    assert [states[feeds[name]].outcome for name in ("dead", "gone", "page", "good")] == [
        "connect", "not_found", "not_a_feed", "ok",
    ]  # fmt: skip
    titles = {e.title for e in rows(desk, "entries")}
    assert "A second text under the same guid" in titles, "two articles under one guid are two articles"


def test_a_page_that_fails_is_asked_again_with_longer_pauses_and_read_when_it_comes(
    server: LoopbackServer, desk: Desk
) -> None:
    down = answer(status="503 Service Unavailable")
    deal = server.on("/deal", in_turn(down, down, answer(page(DEAL), headers=HTML)))
    desk.write([serve_feed(server, "/feed", [item(1, DEAL, deal)])])
    assert desk.poll().articles_waiting == 1
    desk.poll(timedelta(minutes=5))
    assert server.count("/deal") == 1, "before its time the page is left alone"
    desk.poll(timedelta(minutes=11))
    assert (server.count("/deal"), len(desk.alerts)) == (2, 0)
    report = desk.poll(timedelta(minutes=40))
    assert (server.count("/deal"), report.articles, len(desk.alerts)) == (3, 1, 1)
    assert [a.state for a in rows(desk, "articles")] == ["missing", "missing", "full"]


def test_after_the_last_try_the_summary_is_read_and_says_so(server: LoopbackServer, desk: Desk) -> None:
    desk.write([serve_feed(server, "/feed", [item(1, DEAL, server.url("/lost"))])])
    for hours in range(4):
        desk.poll(timedelta(hours=3 * hours))
    last: Article = rows(desk, "articles")[-1]
    assert (last.state, last.retry_at, last.attempts) == ("summary", None, 4)
    assert "404" in last.detail
    assert len(desk.alerts) == 1
    assert server.count("/lost") == 4
    desk.poll(timedelta(days=1))
    assert server.count("/lost") == 4


def test_a_closed_page_is_read_from_its_summary_at_once(server: LoopbackServer, desk: Desk) -> None:
    closed = server.on("/closed", answer(status="403 Forbidden"))
    desk.write([serve_feed(server, "/feed", [item(1, DEAL, closed)])])
    report = desk.poll()
    assert [p.kind for p in report.problems] == ["refused"]
    assert [a.state for a in rows(desk, "articles")] == ["summary"]
    assert len(desk.alerts) == 1


def test_the_first_poll_records_and_stays_silent(server: LoopbackServer, desk: Desk) -> None:
    deal = serve_page(server, "/deal", DEAL)
    newer = serve_page(server, "/newer", "Meta and Groq sign a supply contract")
    first, second = (
        rss([item(1, DEAL, deal)]),
        rss([item(1, DEAL, deal), item(2, "Meta and Groq sign a supply contract", newer)]),
    )
    desk.write([server.on("/feed", in_turn(answer(first), answer(second)))], settings='first_poll = "baseline"\n')
    report = desk.poll()
    assert (report.feeds_baseline, report.sent, server.count("/deal")) == (1, 0, 0)
    events: tuple[Event, ...] = rows(desk, "events")
    assert [e.baseline for e in events] == [True], "what was there is known, so that its echo is no news"
    report = desk.poll(timedelta(hours=1))
    assert report.sent == 1
    assert "Groq" in desk.subjects[0]
    entries: tuple[Entry, ...] = rows(desk, "entries")
    assert [e.baseline for e in entries] == [True, False]


def test_a_first_poll_may_alert_what_is_young(server: LoopbackServer, desk: Desk) -> None:
    young, old = serve_page(server, "/young", DEAL), serve_page(server, "/old", "Meta and Groq sign a supply contract")
    items = [
        item(1, DEAL, young),
        item(2, "Meta and Groq sign a supply contract", old, date="Sat, 28 Feb 2026 05:00:00 GMT"),
    ]
    desk.write([serve_feed(server, "/feed", items)], settings='first_poll = "baseline"\nbaseline_alert_hours = 24\n')
    desk.poll()
    assert len(desk.alerts) == 1
    assert "Midjourney" in desk.subjects[0]


def test_a_company_added_later_does_not_fire_old_news(server: LoopbackServer, desk: Desk) -> None:
    feed = two_articles(server)
    desk.write([feed], companies=["Nokia"])
    desk.poll()
    desk.write([feed], companies=["Nokia", "Meta"])
    desk.poll(timedelta(hours=1))
    assert desk.alerts == []


def test_content_in_the_feed_spares_the_page(server: LoopbackServer, desk: Desk) -> None:
    whole = "".join(
        f"<p>{DEAL}, part {n}. {'All of it is told here, at length and with care. ' * 8}</p>" for n in range(5)
    )
    body = (
        rss([item(1, DEAL, server.url("/page"))])
        .replace(b"</item>", f"<content:encoded><![CDATA[{whole}]]></content:encoded></item>".encode())
        .replace(b"<rss ", b"<rss xmlns:content='http://purl.org/rss/1.0/modules/content/' ")
    )
    desk.write([server.on("/feed", answer(body))])
    report = desk.poll()
    assert (server.count("/page"), report.articles_from_feed, len(desk.alerts)) == (0, 1, 1)
    assert [a.state for a in rows(desk, "articles")] == ["full"]


def test_a_run_in_which_no_feed_worked_has_failed(server: LoopbackServer, desk: Desk) -> None:
    desk.write([server.url("/a"), server.url("/b")])
    report = desk.poll()
    with pytest.raises(RunFailed, match=r"none of 2 feeds could be read: not_found 2 times"):
        report.raise_if_failed()


def test_a_channel_that_fails_is_tried_again_and_loses_nothing(server: LoopbackServer, desk: Desk) -> None:
    hook = server.on("/hook", in_turn(answer(status="500 Oops"), answer(b"ok")))
    address = f"json://{hook.removeprefix('http://')}"
    channel = f'[[channels]]\nname = "hook"\nurl = "{address}"\nallow_private = true\n'
    desk.write([two_articles(server)], channels=channel)
    report = desk.poll()
    assert (report.sent, report.queued, server.count("/hook")) == (0, 1, 1)
    assert desk.poll(timedelta(minutes=30)).sent == 1
    assert server.count("/hook") == 2
    last: dict[int, Delivery] = {d.delivery_key: d for d in rows(desk, "deliveries")}
    assert [(d.state, d.attempt) for d in last.values()] == [("sent", 2)]
    assert desk.poll(timedelta(hours=2)).sent == 0


def test_what_was_muted_stays_untold_when_the_mute_is_over(server: LoopbackServer, desk: Desk) -> None:
    desk.write([two_articles(server)])
    mutes = desk.folder / "mutes.toml"
    mutes.write_text('[[mutes]]\nkind = "company"\nnames = ["Meta"]\n', encoding="utf-8")
    assert desk.poll().sent == 0
    mutes.unlink()
    assert desk.poll(timedelta(hours=1)).sent == 0
    (row,) = rows(desk, "deliveries")
    assert (row.state, row.detail) == ("skipped", "muted: company Meta")


def test_one_run_at_a_time(server: LoopbackServer, desk: Desk) -> None:
    desk.write([two_articles(server)])
    config = load_config(desk.folder)
    with open_run(config, now=NOW), pytest.raises(LockHeld):
        desk.poll()
    desk.poll()
    assert len(desk.alerts) == 1


@pytest.mark.slow
def test_five_hundred_matches_at_once_are_twenty_messages_and_a_digest(server: LoopbackServer, desk: Desk) -> None:
    firms = [f"Quellmark{number:03} Systems" for number in range(500)]
    titles = [f"{firm} and Nokia sign a supply contract" for firm in firms]
    feed = serve_feed(server, "/feed", [item(n, title, server.url(f"/{n}")) for n, title in enumerate(titles)])
    desk.write([feed], companies=firms)
    listed = desk.folder / "feeds.toml"
    listed.write_text(listed.read_text(encoding="utf-8") + "full_text = false\n", encoding="utf-8")
    desk.poll()
    assert len(desk.alerts) == 21
    assert [a.digest for a in desk.alerts].count(True) == 1
    told = {pair for alert in desk.alerts for pair in alert.of}
    events: tuple[Event, ...] = rows(desk, "events")
    assert told == {(e.event_id, e.version) for e in events if e.change}
    assert len(told) == 500, "every deal is in a message, or in the digest"
    assert desk.poll(timedelta(hours=1)).sent == 0


@pytest.mark.slow
def test_a_first_poll_of_many_feeds_asks_for_no_page_and_alerts_nobody(server: LoopbackServer, desk: Desk) -> None:
    feeds = []
    for number in range(100):
        titles = [f"Meta and Firm{number}x{n} sign a licensing deal" if n < 2 else f"{NOISE}, {n}" for n in range(30)]
        items = [item(n, title, server.url(f"/page{number}x{n}")) for n, title in enumerate(titles)]
        feeds.append(serve_feed(server, f"/{number}", items))
    desk.write(feeds, settings='first_poll = "baseline"\n')
    report = desk.poll()
    assert (report.feeds_baseline, report.entries_new, report.sent) == (100, 3000, 0)
    assert not [hit for hit in server.hits if hit.path.startswith("/page")]
    assert desk.poll(timedelta(hours=1)).sent == 0
