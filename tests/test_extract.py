"""Articles are found; what only looks like one is called by its name."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor import extract as module
from monitor.errors import ExtractError, SandboxError
from monitor.extract import Extracted, crude_text, extract, extract_many, may_be_wall, plain, unreadable
from monitor.sandbox import Sandbox

DATA = Path(__file__).parent / "data" / "extract"
URL = "https://www.harbour.test/2026/deal"
SENTENCES = (
    "Northwind Instruments has licensed its imaging patents to Contoso Medical",
    "pay $40 million at once",
    "“We would rather build than argue,” Contoso's chief executive, Mara Linde, said in a statement.",
    "runs until 2034",
)


def page(name: str) -> bytes:
    return (DATA / f"{name}.html").read_bytes()


def read(body: bytes | str, content_type: str = "text/html; charset=utf-8", url: str = URL) -> Extracted:
    return extract(body.encode() if isinstance(body, str) else body, content_type, url)


def refused(body: bytes | str, content_type: str = "text/html", url: str = URL) -> str:
    with pytest.raises(ExtractError) as caught:
        read(body, content_type, url)
    assert str(caught.value).startswith(url)
    return caught.value.kind


def test_the_article_and_nothing_else() -> None:
    found = read(page("article"))
    assert found.title == "Northwind & Contoso sign licensing deal"
    assert found.outlet == "The Harbour Post"
    assert found.published == datetime(2026, 11, 20, 7, 15, tzinfo=UTC)
    assert (found.state, found.detail) == ("full", "")
    for sentence in SENTENCES:
        assert sentence in found.text
    for noise in ("Advertisement", "Read more", "cookies", "Weather", "Privacy", "Subscribe"):
        assert noise not in found.text


def test_paragraphs_are_lines() -> None:
    lines = read(page("article")).text.split("\n")
    assert len(lines) >= 5
    assert all(line.strip() == line and line for line in lines)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("consent", "consent"), ("wall_only", "paywall"), ("robot", "blocked"), ("script_only", "empty")],
)
def test_what_is_no_article(name: str, kind: str) -> None:
    assert refused(page(name)) == kind


def test_the_part_before_a_paywall_is_kept_and_marked() -> None:
    found = read(page("paywall"))
    assert found.state == "paywall"
    assert "Tailspin about a merger" in found.text
    assert "only the beginning" in found.detail
    assert found.published == datetime(2026, 11, 20, 6, tzinfo=UTC)


def test_an_article_about_cookies_and_paywalls_is_an_article() -> None:
    """Words of walls in a long text are its subject."""
    text = "".join(
        f"<p>Paragraph {number}: the regulator said that publishers who ask readers to accept cookies or to subscribe "
        "to read must say what they do with the data, and fined two of them for it on Friday.</p>"
        for number in range(14)
    )
    found = read(f"<html><head><title>T</title></head><body><article><h1>T</h1>{text}</article></body></html>")
    assert found.state == "full"


def test_a_short_article_is_an_article() -> None:
    text = "".join(
        f"<p>{name} and Google signed a cloud agreement worth more than ten billion dollars, they said on Friday.</p>"
        for name in ("Meta", "Apple", "Intel")
    )
    found = read(f"<html><head><title>T</title></head><body><article><h1>T</h1>{text}</article></body></html>")
    assert found.state == "full"


def test_structured_data_helps_out() -> None:
    found = read(page("structured"))
    assert found.title == "Wingtip buys Fourth Coffee"
    assert found.outlet == "Wire Nine"
    assert found.published == datetime(2026, 11, 19, tzinfo=UTC)
    assert "a chain of forty coffee shops" in found.text


def test_outlet_is_the_host_where_the_page_names_none() -> None:
    assert read(page("article").replace(b"og:site_name", b"x")).outlet == "harbour.test"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"%PDF-1.7 ...", "application/pdf"), (b"%PDF-1.7 ...", "text/html"), (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"PK\x03\x04...", ""), (b'{"a": 1}', "application/json"), (b"video", "video/mp4"), (b"a,b", "text/csv"),
    ],
)  # fmt: skip
def test_what_is_not_html(body: bytes, content_type: str) -> None:
    assert refused(body, content_type) == "not_html"


@pytest.mark.parametrize("body", [b"", b"   \n", b"\x01\x02", b"<html></html>", b"<", b"hello"])
def test_nothing_to_read(body: bytes) -> None:
    assert refused(body) == "empty"


def test_plain_text_is_read() -> None:
    body = "Alpha & Beta <merge>.\n\n" + "They said so on Friday, in words that fill a line or two. " * 8
    found = read(body, "text/plain")
    assert "Alpha & Beta <merge>." in found.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "iso-8859-1"])
@pytest.mark.parametrize("told", ["header", "meta", "nowhere", "wrong"])
def test_charsets(encoding: str, told: str) -> None:
    text = page("article").decode().replace("“", '"').replace("”", '"')
    meta = {"meta": encoding, "wrong": "utf-8" if encoding != "utf-8" else "iso-8859-1"}.get(told, "")
    text = text.replace('<meta charset="utf-8">', f'<meta charset="{meta}">' if meta else "")
    content_type = f"text/html; charset={encoding}" if told == "header" else "text/html"
    assert "Ann Müller" in crude_text(text.encode(encoding), content_type)
    assert "$40 million" in read(text.encode(encoding), content_type).text


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://news.google.com/rss/articles/CBMi", True), ("https://www.bloomberg.com/news/x", True),
        ("https://notbloomberg.com/x", False), ("https://bloomberg.com.evil.test/x", False), ("https://a.test/", False),
        ("", False),
    ],
)  # fmt: skip
def test_sites_that_need_not_be_asked(url: str, known: bool) -> None:
    assert bool(unreadable(url)) is known


def test_hosts_of_consent_dialogues() -> None:
    assert refused(page("article"), url="https://consent.yahoo.com/v2/collectConsent?x=1") == "consent"


def test_hints_for_a_site_cut_and_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = module._rules()
    site = module._Site(host="harbour.test", body="//aside", drop=("//h2",))
    monkeypatch.setitem(rules.sites, "harbour.test", site)
    filler = "The harbour's weather will stay as it is, said the harbour master on Friday evening. " * 6
    found = read(page("article").replace(b"</ul></aside>", f"</ul><p>{filler}</p></aside>".encode()))
    assert "harbour master" in found.text
    assert "Northwind Instruments" not in found.text


def test_crude_text_holds_every_word_of_the_article() -> None:
    crude = crude_text(page("article"))
    assert all(sentence in crude for sentence in SENTENCES)
    assert "__DATA__" not in crude_text(page("script_only"))


def test_crude_text_loses_nothing_that_extract_may_find() -> None:
    for name in ("article", "paywall", "structured"):
        crude = " ".join(crude_text(page(name)).split())
        for line in read(page(name)).text.split("\n"):
            assert line in crude, (name, line)
    drop_cap = crude_text(b"<p><span>M</span>eta Platforms</p><p>AT&amp;T</p>")
    assert "Meta Platforms" in drop_cap
    assert " AT&T" in drop_cap
    escaped = crude_text(rb'<script type="application/ld+json">{"articleBody": "one\n\nL\u00e9on"}</script>')
    assert "one  Léon" in escaped


@pytest.mark.parametrize(
    "attack", [b"<script></script>", b"<script>", b"<style><script>", b"<", b"<script</style>", b">"]
)
def test_crude_text_is_quick_on_hostile_pages(attack: bytes) -> None:
    start = time.perf_counter()
    crude_text(attack * 200_000)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    ("name", "wall"),
    [
        ("consent", True),
        ("wall_only", True),
        ("robot", True),
        ("script_only", True),
        ("paywall", True),
        ("", False),
    ],
)
def test_pages_that_may_be_walls_are_looked_at_closely(name: str, wall: bool) -> None:
    """Before a page is passed over because nothing of interest is on it, it must be a page with an article."""
    menu = b"<ul>" + b"<li><a href='/x'>Another section of this site</a></li>" * 100 + b"</ul>"
    body = page("article").replace(b"</nav>", menu + b"</nav>") if not name else page(name)
    if name == "paywall":
        body = body.replace(b"<nav>", b"<nav>" + menu)
    assert may_be_wall(body, crude_text(body)) is wall


def test_crude_text_is_much_quicker() -> None:
    body = page("article") * 1
    start = time.perf_counter()
    for _ in range(20):
        crude_text(body)
    crude = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(20):
        extract(body, "text/html", URL)
    assert crude * 4 < time.perf_counter() - start


def test_plain_of_a_fragment() -> None:
    assert plain("<p>One</p><p>Two<br>Three</p><ul><li>A</li><li>B</li></ul>") == "One\nTwo\nThree\nA\nB"
    assert plain("<td>1</td><td>2</td> <b>O</b>penAI") == "1 2 OpenAI"


def test_many_pages_errors_are_values() -> None:
    table = "<html><body><table>" + "<tr><td>x</td></tr>" * 120_000 + "</table></body></html>"
    pages = [
        (page("article"), "text/html", URL),
        (page("consent"), "text/html", URL),
        (table.encode(), "text/html", URL),
        (page("article"), "text/html", URL),
    ]
    with Sandbox(2, timeout=2) as sandbox:
        first, second, third, fourth = extract_many(pages, sandbox)
    assert isinstance(first, Extracted)
    assert first == fourth
    assert isinstance(second, ExtractError)
    assert (second.kind, second.url) == ("consent", URL)
    assert isinstance(third, SandboxError | ExtractError)


@pytest.mark.parametrize("broken", ["rule", "judge"])
def test_seeded_bugs_are_caught(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the consent rule a banner passes as an article; without the judge a paywall's stub does."""
    if broken == "rule":
        monkeypatch.setattr(module, "_mostly_consent", lambda text, phrases: False)
        found = extract(page("consent"), "text/html", URL)
        assert found.state == "full"
    else:
        monkeypatch.setattr(module, "_found", lambda phrases, text: "")
        assert extract(page("paywall").replace(b'"False"', b'"True"'), "text/html", URL).state == "full"
