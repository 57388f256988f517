"""One piece of news in every dialect, feeds that lie about themselves, and when two entries are one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import FeedError, SandboxError
from monitor.feeds import (
    Outline,
    ParsedFeed,
    canonical_url,
    discover,
    guesses,
    keys_of,
    link_key,
    parse_feed,
    parse_many,
    read_opml,
    records,
    to_entries,
    write_opml,
)
from monitor.models import Entry
from monitor.sandbox import Sandbox

DATA = Path(__file__).parent / "data" / "feeds"
URL = "https://wire.test/feed"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST = 'Meta & Midjourney team up on "aesthetic" tools'


def parse(body: bytes | str, content_type: str = "application/xml") -> ParsedFeed:
    return parse_feed(body.encode() if isinstance(body, str) else body, content_type, URL)


def rss(*items: str, head: str = "") -> str:
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>T</title>'
        f"<link>https://wire.test/</link>{head}{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    )


def item(title: str = "", link: str = "", **more: str) -> str:
    parts = {"title": title, "link": link, **more}
    return "".join(f"<{name}>{value}</{name}>" for name, value in parts.items() if value)


def entries(*items: str) -> tuple[Entry, ...]:
    return to_entries(parse(rss(*items)), 1, URL, NOW)


# --- dialects


@pytest.mark.parametrize(
    ("name", "dated", "author", "ttl"),
    [
        ("rss20.xml", True, True, 3600),
        ("rss091.xml", False, False, 0),
        ("rdf.xml", True, True, 3600),
        ("atom10.xml", True, True, 0),
        ("atom03.xml", True, True, 0),
        ("feed.json", True, True, 0),
        ("sitemap.xml", True, False, 0),
        ("broken.xml", True, False, 0),
    ],
)
def test_one_piece_of_news_in_every_dialect(name: str, dated: bool, author: bool, ttl: float) -> None:
    feed = parse((DATA / name).read_bytes())
    assert len(feed.entries) == 2
    first, second = to_entries(feed, 1, URL, NOW)
    assert first.title.replace("“", '"').replace("”", '"') == FIRST
    assert first.url == "https://wire.test/2026/meta-midjourney"
    assert first.published == (datetime(2026, 11, 20, 15, 30, tzinfo=UTC) if dated else None)
    assert first.author == ("Ann Müller" if author else "")
    assert first.summary == ("" if name == "sitemap.xml" else "The companies will share technology.")
    assert (second.title, second.published) == ("Nothing else happened", None)
    assert feed.ttl_seconds == ttl
    assert feed.home == ("" if name == "sitemap.xml" else "https://wire.test/")
    assert first.entry_key == to_entries(parse((DATA / "rss20.xml").read_bytes()), 1, URL, NOW)[0].entry_key


def test_well_formed_feeds_do_not_need_feedparser(monkeypatch: pytest.MonkeyPatch) -> None:
    import monitor.feeds.parse as module

    monkeypatch.setattr(module, "_any", lambda *_: pytest.fail("went to feedparser"))
    for name in ("rss20.xml", "rdf.xml", "atom10.xml", "atom03.xml", "feed.json", "sitemap.xml"):
        assert parse((DATA / name).read_bytes()).entries


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "utf-8-sig", "koi8-r"])
@pytest.mark.parametrize("told", ["xml", "http", "nowhere", "wrong", "undefined"])
def test_charsets(encoding: str, told: str) -> None:
    """Told in the XML, in the header, nowhere, wrongly, or by a name that does not exist."""
    word = "Мета покупает" if encoding == "koi8-r" else "Über Café"
    declared = {"xml": f' encoding="{encoding}"', "wrong": ' encoding="utf-8"', "undefined": ' encoding="undefined"'}
    text = f'<?xml version="1.0"{declared.get(told, "")}?>' + rss(item(word, "https://wire.test/1"))
    content_type = f"text/xml; charset={encoding}" if told == "http" else "text/xml"
    feed = parse(text.encode(encoding), content_type)
    assert len(feed.entries) == 1
    guessed = encoding == "koi8-r" and told in ("nowhere", "wrong", "undefined")
    if not guessed:  # Cyrillic that nobody names cannot be told from Latin
        assert feed.entries[0].title == word


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "words"),
    [
        (b"", "text/xml", "empty", "empty"),
        (b" \n\t\xef\xbb\xbf", "text/xml", "empty", "empty"),
        (b"<!DOCTYPE html><html><head></head><body>Hello</body></html>", "text/html", "not_a_feed", "a web page"),
        (b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss"></head></html>', "text/html",
         "not_a_feed", "announces the feed https://wire.test/rss"),
        (b"\n<!-- hi -->\n<html><body>Hello</body></html>", "application/rss+xml", "not_a_feed", "a web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "image/png", "not_a_feed", "neither"),
        (b"%PDF-1.7 blah", "application/pdf", "not_a_feed", "neither"),
        (b"Service unavailable", "text/plain", "not_a_feed", "neither"),
        (b"{}", "application/json", "not_a_feed", "no list of items"),
        (b'{"items": [', "application/json", "broken", "not valid JSON"),
        (b"[" * 100_000, "application/json", "broken", "not valid JSON"),
        (b"<opml version='2.0'><body/></opml>", "text/xml", "not_a_feed", "a list of feeds"),
        (b"<error><code>AccessDenied</code></error>", "text/xml", "not_a_feed", "neither"),
        (b"<sitemapindex><sitemap><loc>https://wire.test/news.xml</loc></sitemap></sitemapindex>", "text/xml",
         "not_a_feed", "such as https://wire.test/news.xml"),
        (b"<urlset><url><loc>https://wire.test/</loc></url></urlset>", "text/xml", "not_a_feed", "without news"),
        (rss("<enclosure/>").encode(), "text/xml", "broken", "hold neither title, link nor text"),
        (rss(item("A", "https://a.test/1")).encode()[:60], "text/xml", "broken", ""),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_called_what_it_is(body: bytes, content_type: str, kind: str, words: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse(body, content_type)
    assert caught.value.kind == kind
    assert words in str(caught.value)
    assert str(caught.value).startswith(URL)


def test_an_empty_feed_is_a_feed() -> None:
    feed = parse(rss())
    assert (feed.title, feed.entries, feed.problem) == ("T", (), "the feed has no entries")


def test_a_feed_served_as_html_or_text_is_read() -> None:
    for content_type in ("text/html; charset=utf-8", "text/plain", "application/octet-stream", ""):
        assert parse(rss(item("A", "https://a.test/1")), content_type).entries


def test_broken_feeds_say_so_and_are_read_all_the_same() -> None:
    feed = parse(rss(item("A &nbsp; B", "https://a.test/1")))
    assert feed.entries[0].title == "A B"
    assert "undefined entity" in feed.problem


def test_hollow_entries_are_counted() -> None:
    feed = parse(rss(item("A", "https://a.test/1"), "<enclosure/>", "<enclosure/>"))
    assert (len(feed.entries), feed.problem) == (1, "2 entries hold neither title, link nor text")


def test_a_missing_title_is_made_from_the_text() -> None:
    [entry] = parse(rss(item("", "https://a.test/1", description="Meta and Google talk."))).entries
    assert entry.title == "Meta and Google talk."
    [entry] = parse(rss(item("", "", description="word " * 100))).entries
    assert entry.title.endswith("word …")
    assert len(entry.title) < 145


def test_entities_and_doctypes_resolve_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    body = (
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}"><!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
        '<rss version="2.0"><channel><title>&x;&b;</title><item><title>T &x;</title><link>https://a.test/</link></item>'
        "</channel></rss>"
    )
    feed = parse(body)
    assert "s3cret" not in repr(feed)


def test_a_feed_is_never_taken_for_a_file_or_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """feedparser opens strings: a body that is a path must not become that file."""
    path = tmp_path / "feed.xml"
    path.write_text(rss(item("From the disk", "https://a.test/1")))
    with pytest.raises(FeedError):
        parse(str(path).encode())


# --- what is taken over


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", " java\tscript:alert(1)", "vbscript:x", "ftp://a.test/",
     "http://", "https://[::1", "mailto:a@b.test", "https://a.test:99999/", "https://a.test/" + "x" * 3000],
)  # fmt: skip
def test_only_web_links_are_taken(link: str) -> None:
    [entry] = parse(rss(item("A title", link.replace("&", "&amp;")))).entries
    assert entry.url == ""


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("A &lt;script&gt;alert(1)&lt;/script&gt; title", "A title"),
        ("&lt;b&gt;Bold&lt;/b&gt; &amp;amp; more", "Bold & more"),
        ("&amp;lt;b&amp;gt;Twice&amp;lt;/b&amp;gt;", "Twice"),
        ("Profit &amp;lt; 5 and a&lt;9", "Profit < 5 and a<9"),
        ("Forged\u202e txt.exe", "Forged txt.exe"),
        ("Two\n  lines\t here", "Two lines here"),
        ("Zero\u200bwidth\ufeff", "Zerowidth"),
        ("It\x92s Windows", "It’s Windows"),
        ("line\u2028separator", "line separator"),
        ("Non\u00a0breaking", "Non breaking"),
        ("&lt;img src=x onerror=alert(1)&gt;Image", "Image"),
        ("&lt;svg/onload=alert(1)&gt;Vector", "Vector"),
        ("&lt;!-- hidden --&gt;Shown", "Shown"),
        ("AT&amp;amp;T &amp;#8211; Verizon", "AT&T – Verizon"),
    ],
)  # fmt: skip
def test_titles_are_plain_text_on_one_line(raw: str, clean: str) -> None:
    assert parse(rss(item(raw, "https://a.test/1"))).entries[0].title == clean


def test_long_texts_are_cut() -> None:
    [entry] = parse(rss(item("t" * 5000, "https://a.test/1", description="d" * 50_000))).entries
    assert (len(entry.title), len(entry.summary)) == (records.MAX_TITLE, records.MAX_SUMMARY)


def test_very_long_feeds_are_cut_and_say_so() -> None:
    feed = parse(rss(*(item(f"Entry {n}", f"https://a.test/{n}") for n in range(records.MAX_ENTRIES + 5))))
    assert (len(feed.entries), feed.problem) == (2000, "only the first 2000 entries were read")


WHOLE = "".join(
    f"&lt;p&gt;Paragraph {n} of an article that says what happened and why it matters.&lt;/p&gt;" for n in range(20)
)


@pytest.mark.parametrize(
    ("description", "content", "whole"),
    [
        ("A summary.", WHOLE, True),
        ("A summary.", "&lt;p&gt;Too short to be an article.&lt;/p&gt;", False),
        ("A summary.", WHOLE + "&lt;p&gt;Read more&lt;/p&gt;", False),
        ("A summary.", WHOLE + "&lt;p&gt;And then […]&lt;/p&gt;", False),
        ("A summary.", WHOLE + "&lt;a href='x'&gt;Continue reading Meta talks&lt;/a&gt;", False),
        (WHOLE, WHOLE, False),
        (WHOLE * 2, "", True),
        (WHOLE * 2 + "…", "", False),
        ("", "", False),
    ],
)
def test_content_counts_when_it_is_the_whole_article(description: str, content: str, whole: bool) -> None:
    encoded = {"content:encoded": content} if content else {}
    [entry] = parse(rss(item("A", "https://a.test/1", description=description, **encoded))).entries
    assert bool(entry.content) is whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fri, 20 Nov 2026 16:30:00 +0100", "2026-11-20T15:30"), ("20 Nov 2026 15:30 GMT", "2026-11-20T15:30"),
        ("2026-11-20T15:30:00Z", "2026-11-20T15:30"), ("2026-11-20 15:30:00", "2026-11-20T15:30"),
        ("2026-11-20T15:30:00.123456+00:00", "2026-11-20T15:30"), ("2026-11-20", "2026-11-20T00:00"),
        ("Fri, 20 Nov 2026 10:30:00 EST", "2026-11-20T15:30"), ("yesterday", None), ("", None),
        ("Fri, 32 Nov 2026 10:30:00 GMT", None), ("9999-12-31T23:59:59-23:00", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("Sun, 22 Nov 2026 20:00:00 GMT", "2026-11-22T12:00"),  # a zone that is off: not after it was seen
        ("Sun, 22 Nov 2027 20:00:00 GMT", None), ("Thu, 01 Jan 1970 00:00:00 GMT", None),
    ],
)  # fmt: skip
def test_dates(text: str, expected: str | None) -> None:
    [entry] = entries(item("A title", "https://a.test/1", pubDate=text))
    assert (entry.published.isoformat()[:16] if entry.published else None) == expected


# --- identity


def key(**more: str) -> int:
    options = {"title": "Meta in talks with Google", "link": "https://a.test/2026/talks", "guid": "g1", **more}
    return entries(item(**options))[0].entry_key


@pytest.mark.parametrize(
    "change",
    [
        {"guid": "g2"}, {"guid": ""}, {"title": "Meta in talks with Google - sources"}, {"description": "Edited."},
        {"pubDate": "Sat, 21 Nov 2026 10:00:00 GMT"}, {"link": "https://a.test/2026/talks?utm_source=rss&amp;utm_id=5"},
        {"link": "http://a.test/2026/talks"}, {"link": "https://www.a.test/2026/talks/"},
        {"link": "https://A.test:443/2026/talks#comments"}, {"link": "https://m.a.test/2026/talks"},
        {"link": "https://a.test/2026/talks/amp/"}, {"link": "https://a.test/2026/talks/index.html"},
        {"link": "https://a.test/2026/talks?fbclid=abc&amp;gclid=5&amp;ref=rss"},
        {"link": "https://www.google.com/url?sa=t&amp;url=https%3A%2F%2Fa.test%2F2026%2Ftalks%3Futm_medium%3Dx"},
    ],
)  # fmt: skip
def test_same_entry(change: dict[str, str]) -> None:
    assert key(**change) == key()


@pytest.mark.parametrize(
    "change",
    [{"link": "https://a.test/2026/other"}, {"link": "https://b.test/2026/talks"}, {"link": "https://a.test/2026/talks?id=5"},
     {"link": "https://a.test/2026/talks?page=2"}, {"link": "https://a.test/2026/talks#!/other"}, {"link": ""}],
)  # fmt: skip
def test_other_entry(change: dict[str, str]) -> None:
    assert key(**change) != key()


def test_order_of_parameters_is_no_difference() -> None:
    assert key(link="https://a.test/?id=5&amp;x=1") == key(link="https://a.test/?x=1&amp;id=5")


def test_two_entries_with_one_guid_stay_two() -> None:
    by_link = entries(item("A", "https://a.test/1", guid="same"), item("A", "https://a.test/2", guid="same"))
    by_title = entries(item("Meta buys A today", guid="same"), item("Meta buys B today", guid="same"))
    assert len({entry.entry_key for entry in (*by_link, *by_title)}) == 4


@pytest.mark.parametrize(
    "front", ["https://wire.test/", "https://wire.test", "https://wire.test/feed", "https://other.test/"]
)
def test_links_to_a_front_page_are_no_identity(front: str) -> None:
    today = entries(item("Meta buys Alpha, sources say", front))
    tomorrow = entries(item("Meta sells Alpha, sources say", front))
    assert today[0].entry_key != tomorrow[0].entry_key


def test_one_link_on_several_entries_is_no_identity() -> None:
    live = [item(f"Update {number} on the Meta talks", "https://a.test/live") for number in range(3)]
    assert len(entries(*live)) == 3


def test_short_titles_without_links_need_their_text() -> None:
    both = entries(item("Statement", description="On Alpha."), item("Statement", description="On Beta."))
    assert len(both) == 2


def test_the_same_entry_twice_in_one_feed_is_one() -> None:
    assert len(entries(item("A title", "https://a.test/1"), item("A title", "https://a.test/1?utm_source=x"))) == 1


def test_keys_of_a_feed_tell_news_from_a_touched_date() -> None:
    one, two = item("A title", "https://a.test/1"), item("B title", "https://a.test/2")
    assert keys_of(parse(rss(one, two))) == keys_of(parse(rss(two, one + item(pubDate="2026-11-20"))))
    assert keys_of(parse(rss(one, two))) != keys_of(parse(rss(one)))


def test_baseline_and_feed_are_noted() -> None:
    [entry] = to_entries(parse(rss(item("A title", "https://a.test/1"))), 7, URL, NOW, baseline=True)
    assert (entry.baseline, entry.feed_key, entry.feed_url, entry.first_seen) == (True, 7, URL, NOW)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://A.Test:443/x?utm_source=a&b=1#frag", "https://a.test/x?b=1"),
        ("http://a.test", "http://a.test/"),
        ("https://a.test:8443/x", "https://a.test:8443/x"),
        ("https://a.test/x?a=%20&b=%2F&a=2", "https://a.test/x?a=%20&b=%2F&a=2"),
        ("https://a.test/#!/story/5", "https://a.test/#!/story/5"),
        ("https://user:pw@a.test/x?mod=rss", "https://user:pw@a.test/x"),
        ("https://a.test/x?source=rss&b=1", "https://a.test/x?b=1"),
        ("https://a.test/x?source=reuters", "https://a.test/x?source=reuters"),
        ("https://www.google.com/url?q=javascript:alert(1)", "https://www.google.com/url?q=javascript:alert(1)"),
        ("https://www.bing.com/news/apiclick.aspx?tid=1&url=https%3a%2f%2fa.test%2fx&c=2", "https://a.test/x"),
        ("https://[2001:db8::1]:80/x", "https://[2001:db8::1]:80/x"),
    ],
)
def test_canonical_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical
    assert canonical_url(canonical) == canonical


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30))
def test_no_link_breaks_the_comparison(path: str, query: str) -> None:
    url = canonical_url(f"https://a.test/{path}?{query}")
    assert link_key(url) == link_key(canonical_url(url))


# --- bodies in the sandbox


def test_many_bodies_errors_are_values() -> None:
    good, bad = rss(item("A title", "https://a.test/1")).encode(), b"nonsense"
    slow = b"<rss><channel><item " + b" ".join(b'a%d="x"' % n for n in range(60_000)) + b"/>&nbsp;</channel></rss>"
    bodies = [(good, "text/xml", URL), (bad, "", URL), (slow, "text/xml", URL), (good, "text/xml", URL)]
    with Sandbox(2, timeout=1) as sandbox:
        first, second, third, fourth = parse_many(bodies, sandbox)
    assert isinstance(first, ParsedFeed)
    assert first == fourth
    assert isinstance(second, FeedError)
    assert second.kind == "not_a_feed"
    assert isinstance(third, SandboxError)
    assert third.kind == "timeout"


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "items",
                        "title",
                        "url",
                        "id",
                        "authors",
                        "author",
                        "name",
                        "content_html",
                        "content_text",
                        "date_published",
                        "version",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
    )
)
def test_any_json_is_a_feed_or_a_failure(data: object) -> None:
    try:
        parse(json.dumps(data), "application/feed+json")
    except FeedError as error:
        assert error.kind in ("not_a_feed", "broken", "empty")


# --- lists of feeds, and feeds of sites


def test_opml_there_and_back() -> None:
    outlines = (
        Outline(
            url="https://a.test/feed?x=1&y=2", title='A "quoted" & <b>', home="https://a.test/", tags=("News", "Chips")
        ),
        Outline(url="https://b.test/rss", title="B"),
    )
    assert read_opml(write_opml(outlines).encode()) == (replace(outlines[0], title='A "quoted" &'), outlines[1])


def test_opml_of_other_readers() -> None:
    body = b"""<?xml version="1.0"?><opml version="1.0"><head/><body>
      <outline text="Tech &amp; chips"><outline text="Deep"><outline text="A" type="rss" xmlUrl="https://a.test/feed"/></outline>
        <outline title="B" xmlurl="https://b.test/feed" category="/x/y,z"/></outline>
      <outline text="again" xmlUrl="https://a.test/feed"/><outline text="bad" xmlUrl="javascript:alert(1)"/>
      <outline text="no url"/><outline text="R & D" xmlUrl="https://c.test/?a=1&b=2"/></body></opml>"""
    found = read_opml(body)
    assert [(one.url, one.tags) for one in found] == [
        ("https://a.test/feed", ("Tech & chips", "Deep")),
        ("https://b.test/feed", ("Tech & chips", "x/y", "z")),
        ("https://c.test/?a=1&b=2", ()),
    ]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"<html></html>", rss().encode(), b"\x00\x01", b"<opml"])
def test_what_is_no_opml_is_refused_or_empty(body: bytes) -> None:
    try:
        assert read_opml(body) == ()
    except FeedError as error:
        assert error.kind == "not_a_feed"


def test_opml_resolves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("s3cret")
    entity = f'<!DOCTYPE opml [<!ENTITY x SYSTEM "file://{tmp_path}/x">]>'
    body = entity + '<opml><body><outline text="&x;" xmlUrl="https://a.test/"/></body></opml>'
    assert "s3cret" not in repr(read_opml(body.encode()))


def test_discovery_reads_what_a_page_announces() -> None:
    page = b"""<html><head><base href="https://cdn.test/site/">
      <link rel="stylesheet" href="x.css">
      <LINK REL='alternate' TYPE='application/rss+xml' HREF='feed.xml' title='News &amp; more'>
      <link href=/atom type=application/atom+xml rel="alternate home"><link rel=alternate hreflang=de href=/de>
      <link rel="alternate" type="application/feed+json" href="https://json.test/feed.json">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)"></head>
      <body><a href="/rss/all">RSS</a><a href="/about">About</a><a href="feed.xml">again</a></body></html>"""
    found = discover(page, "https://site.test/")
    assert [(one.url, one.title, one.sure) for one in found] == [
        ("https://cdn.test/site/feed.xml", "News & more", True),
        ("https://cdn.test/atom", "", True),
        ("https://json.test/feed.json", "", True),
        ("https://cdn.test/rss/all", "", False),
    ]


def test_guesses_are_few_and_near() -> None:
    found = guesses("https://site.test/blog/")
    assert found[0] == "https://site.test/blog/feed"
    assert len(found) <= 12
    assert all(url.startswith("https://site.test/") for url in found)


@pytest.mark.parametrize("attack", [b"<link ", b"<a href=", b"<base ", b"<link rel='", b"<link a=b "])
def test_discovery_is_quick_on_hostile_pages(attack: bytes) -> None:
    start = datetime.now(UTC)
    discover(attack * 200_000, URL)
    assert datetime.now(UTC) - start < timedelta(seconds=2)


# --- seeded bugs: each must be caught by a test above


@pytest.mark.parametrize(
    ("name", "bug", "caught_by"),
    [
        ("identity.link_key", lambda url: url, lambda: test_same_entry({"link": "http://a.test/2026/talks"})),
        ("records.safe_url", lambda url, base="": url, lambda: test_only_web_links_are_taken("javascript:alert(1)")),
        ("identity._credible", lambda when, now: when, lambda: test_dates("Sun, 22 Nov 2027 20:00:00 GMT", None)),
        ("identity._more_words", lambda entry: "", lambda: test_short_titles_without_links_need_their_text()),
    ],
)  # fmt: skip
def test_seeded_bugs_are_caught(
    name: str, bug: Callable[..., object], caught_by: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"monitor.feeds.{name}", bug)
    with pytest.raises(AssertionError):
        caught_by()
