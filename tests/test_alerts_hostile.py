"""Hostile words in every field of a deal, sent to five channels for real: nothing may come alive, nothing be forged."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.slack import NotifySlack
from markdown_it import MarkdownIt

from monitor.alerts import Layouts, due
from monitor.alerts.escape import safe_url
from monitor.config import ChannelConfig
from monitor.models import Alert, Event
from monitor.notify import SendSettings, send
from tests.deals import NOW, changes, claim, told
from tests.receivers import Mailbox, Receiver, mail_server, webhook

TITLES = tomllib.loads((Path(__file__).parent / "data" / "alerts" / "hostile.toml").read_text("utf-8"))["titles"]
OPEN = SendSettings(allow_private=True)
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
LIVE_LINK = re.compile(r"(?i)\b(?:https?|ftp)://|\bwww\.|(?:javascript|data|tel|mailto):(?=[a-z+/])")
OURS = re.compile(r"https://news\.example/[^\s<>|()\[\]@]*")
MENTION = re.compile(r"@(?:everyone|here|channel|all|team|U6|&|!|\d)")
CHANNELS = {
    "console": "console://",
    "mail": "mailto://x",
    "slack": "slack://x",
    "mattermost": "mmost://x",
    "ntfy": "ntfy://x",
}


def event(words: str) -> Event:
    """A deal with these words wherever an article can put words."""
    (made,) = told(
        claim(
            "Vela, Orm", title=words, evidence=words, value=words, outlet=words, terms=(words,), origin=words,
            sourcing="named_report", url=f"https://news.example/1?q={words}",
        )
    )  # fmt: skip
    return replace(made, parties=("Vela", words), urls=(made.url, f"https://news.example/{words}"), what=words)


def alert(channel: str, words: str) -> Alert:
    config = ChannelConfig(name=channel, url=CHANNELS[channel])
    (made,) = due([event(words)], [config], [], NOW)
    return made


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with webhook() as server:
        yield server


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


def assert_plain(text: str, lines: int | None = None) -> None:
    """No unseen characters, no link but ours, no mention, and as many lines as an honest title makes."""
    assert not UNSEEN.search(text)
    text = OURS.sub("", text)
    assert not LIVE_LINK.search(text)
    assert not MENTION.search(text)
    if lines is not None:
        assert text.count("\n") == lines


def honest(channel: str) -> Alert:
    return alert(channel, "Honest words")


def test_there_are_enough() -> None:
    assert len(TITLES) >= 60
    assert len(set(TITLES)) == len(TITLES)


@pytest.mark.parametrize("words", TITLES)
def test_console(words: str) -> None:
    out, good = StringIO(), StringIO()
    send("console://", alert("console", words), SendSettings(console=out))
    send("console://", honest("console"), SendSettings(console=good))
    assert_plain(out.getvalue(), good.getvalue().count("\n"))


@pytest.mark.parametrize("words", TITLES)
def test_slack(words: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{receiver.port}/services")
    send("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", alert("slack", words), OPEN)
    payload = receiver.seen[-1].json
    (part,) = payload["attachments"]
    assert set(part) <= {"title", "text", "color", "footer", "ts"}
    assert set(payload) <= {"attachments", "mrkdwn", "username", "channel"}
    text, title = part["text"], part["title"]
    ours = re.findall(r"<https://news\.example/[^<>|]*\|[^<>|]*>", text)
    rest = re.sub(r"<https://news\.example/[^<>|]*\|[^<>|]*>", "", text)
    assert len(ours) == 2
    assert "<" not in rest + title
    assert ">" not in rest + title
    assert not re.search(r"[*_~`!#](?!\u200b)", rest)
    assert_plain(text, honest("slack").body.count("\n"))
    assert_plain(title, 0)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(f"{tag} {sorted(name for name, _ in attrs)}")
        self.links += [value for name, value in attrs if name in ("href", "src", "action")]

    def handle_comment(self, data: str) -> None:
        self.tags.append("comment")


@pytest.mark.parametrize("words", TITLES)
def test_mail(words: str, mailbox: Mailbox) -> None:
    send(mailbox.url, honest("mail"), OPEN)
    good = mailbox.mails[-1]
    send(mailbox.url, alert("mail", words), OPEN)
    bad = mailbox.mails[-1]
    assert [name for name, _ in bad.items()] == [name for name, _ in good.items()]
    assert bad["To"] == good["To"]
    plain, html = (part.get_payload(decode=True).decode() for part in bad.walk() if not part.is_multipart())
    good_plain, good_html = (part.get_payload(decode=True).decode() for part in good.walk() if not part.is_multipart())
    assert_plain(plain.replace("\r\n", "\n"), good_plain.replace("\r\n", "\n").count("\n"))
    seen, wanted = _Tags(), _Tags()
    seen.feed(html)
    wanted.feed(good_html)
    assert seen.tags == wanted.tags
    assert all(link.startswith("https://news.example/") for link in seen.links)
    assert not UNSEEN.search(html.replace("\r\n", "\n"))


@pytest.mark.parametrize("words", TITLES)
def test_mattermost(words: str, receiver: Receiver) -> None:
    send(f"mmost://127.0.0.1:{receiver.port}/3ccdd113474722377935511fc85d3dd4", alert("mattermost", words), OPEN)
    payload = receiver.seen[-1].json
    assert set(payload) == {"text", "username"}
    text = payload["text"]
    assert_plain(text, honest("mattermost").body.count("\n"))
    kinds = _kinds(text)
    assert kinds == _kinds(honest("mattermost").body)


def _kinds(markdown: str) -> list[str]:
    """What a Markdown program makes of a message: every piece of markup, and to which hosts links lead."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    flat = []
    for token in parser.parse(markdown):
        for piece in [token, *(token.children or [])]:
            if piece.type not in ("text", "inline", "softbreak", "hardbreak"):
                link = str(piece.attrs.get("href") or piece.attrs.get("src") or "")
                flat.append(f"{piece.type} {link[: link.find('/', 8)]}")
    return flat


@pytest.mark.parametrize("words", TITLES)
def test_ntfy(words: str, receiver: Receiver) -> None:
    send(f"ntfy://127.0.0.1:{receiver.port}/deals", alert("ntfy", words), OPEN)
    seen = receiver.seen[-1]
    payload = seen.json
    assert set(payload) == {"topic", "title", "message"}
    assert not {name for name in seen.headers if name.startswith("X-")}
    assert_plain(payload["message"], honest("ntfy").body.count("\n"))
    assert_plain(payload["title"], 0)


@pytest.mark.parametrize("words", TITLES)
def test_digests(words: str) -> None:
    for channel in CHANNELS:
        config = ChannelConfig(name=channel, url=CHANNELS[channel], max_per_run=1)
        alerts = due([event("Honest words"), replace(event(words), event_id="x")], [config], [], NOW)
        good = due([event("Honest words"), replace(event("Honest words"), event_id="x")], [config], [], NOW)
        assert [a.digest for a in alerts] == [False, True]
        body, wanted = alerts[1].html or alerts[1].body, good[1].html or good[1].body
        assert body.count("\n") == wanted.count("\n")
        assert not UNSEEN.search(body)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://news.example/a b?q=<x>", "https://news.example/a%20b?q=%3Cx%3E"),
        ("https://news.example/a|b)(c]", "https://news.example/a%7Cb%29%28c%5D"),
        ("https://user:pw@evil.example/", "https://evil.example/"),
        ("https://google.com@evil.example/", "https://evil.example/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//evil.example", ""),
        ("file:///etc/passwd", ""),
        ("https://", ""),
        ("https://evil example/", ""),
        ("https://[::1", ""),
        ("https://news.example:99999/", ""),
        ("https://news.example/\u202egnp.exe", "https://news.example/%20gnp.exe"),
    ],
)
def test_links(url: str, shown: str) -> None:
    assert safe_url(url) == shown


def test_a_layout_of_the_users_own_is_escaped_too(tmp_path: Path) -> None:
    (tmp_path / "alert.slack.j2").write_text(
        "{{ card.title ~ '!' }} {{ card.title | upper }} {{ link(card.link) }}", "utf-8"
    )
    config = ChannelConfig(name="slack", url="slack://x")
    (made,) = due([event("<!channel>")], [config], [], NOW, layouts={"slack": Layouts(folder=tmp_path)})
    assert "<!" not in made.body
    assert "&lt;!" in made.body
    assert made.body.count("<https://news.example/") == 1


def test_the_test_itself_sees_what_is_live() -> None:
    """The assertions above would fail on raw words: for most titles at least one does."""
    caught = 0
    for words in TITLES:
        try:
            assert_plain(words, 0)
            assert _kinds(words) == ["paragraph_open ", "paragraph_close "]
            assert "<" not in words and not re.search(r"[*_~`!#](?!\u200b)", words)
        except AssertionError:
            caught += 1
    assert caught >= 60
    assert changes([event("x")]) == ["new"]
