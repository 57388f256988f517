"""The door to channels: what arrives, what is refused and why, and that no secret gets out. Real servers."""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from apprise.plugins.discord import NotifyDiscord

from monitor.alerts import render
from monitor.errors import DeliveryError
from monitor.models import Alert
from monitor.notify import SendSettings, check, send
from tests.deals import claim, told
from tests.receivers import Mailbox, Receiver, Reply, mail_server, webhook

OPEN = SendSettings(allow_private=True, total_seconds=1.5)
HOOK = "json://{}/hook"


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """The first send loads apprise's services, which may take longer than these tests give a message."""
    check("json://127.0.0.1:9/")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


def alert(form: str = "text") -> Alert:
    (event,) = told(claim("Vela:acquirer, Orm:target", "acquisition", value="$3bn"))
    return replace(render(event, None, form), channel="desk", key="deal-0123")  # type: ignore[arg-type]


def refusal(url: str, settings: SendSettings = OPEN) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(url, alert(), settings)
    return caught.value


def test_a_webhook_gets_words_and_data_and_a_key(receiver: Receiver) -> None:
    send(receiver.url(HOOK), alert(), OPEN)
    (seen,) = receiver.seen
    assert seen.headers["Idempotency-Key"] == "deal-0123"
    assert seen.headers["User-Agent"] == "Deal monitor"
    assert seen.json["title"] == "Rumour: acquisition of Orm by Vela, $3bn"
    assert "acquisition of Orm by Vela" in seen.json["message"]
    (deal,) = seen.json["deals"]
    assert deal["parties"] == ["Vela", "Orm"]
    assert deal["roles"] == {"Vela": "acquirer", "Orm": "target"}
    assert (deal["change"], deal["status"], deal["value"], deal["version"]) == ("new", "rumour", "$3bn", 1)


def test_a_webhook_can_check_who_sent_it(receiver: Receiver) -> None:
    send(receiver.url(HOOK), alert(), replace(OPEN, secret="open sesame"))
    (seen,) = receiver.seen
    at = seen.headers["X-Deal-Monitor-Timestamp"]
    wanted = hmac.new(b"open sesame", at.encode() + b"." + seen.body, hashlib.sha256).hexdigest()
    assert seen.headers["X-Deal-Monitor-Signature"] == f"sha256={wanted}"
    assert abs(time.time() - int(at)) < 60


def test_mail_has_two_parts_and_the_plain_one_is_ours(mailbox: Mailbox) -> None:
    message = alert("mail")
    send(mailbox.url, message, OPEN)
    (mail,) = mailbox.mails
    plain, html = (part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart())
    assert mail["Subject"] == message.subject
    assert mail["X-Deal-Monitor-Key"] == "deal-0123"
    assert plain.decode().replace("\r\n", "\n").strip() == message.body
    assert "<h1" in html.decode()


def test_discord_says_the_subject_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://127.0.0.1:{receiver.port}/api/webhooks")
    send("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", alert("markdown"), OPEN)
    (seen,) = receiver.seen
    assert seen.json["content"].startswith("**Rumour: acquisition of Orm by Vela, $3bn**")
    assert seen.json["content"].count("Rumour: acq") == 1
    assert "embeds" not in seen.json


def test_a_body_that_is_too_long_is_cut_at_a_line(receiver: Receiver) -> None:
    message = replace(alert("markdown"), body="\n".join(f"line {n} of many" for n in range(2000)))
    send(receiver.url("mmost://{}/TOKENTOKENTOKENTOKENTOKEN"), message, OPEN)
    text = receiver.seen[-1].json["text"]
    shown = text.split("\n")
    assert len(text) <= 4000
    assert shown[-1] == f"… {2000 - len(shown) + 1} more lines, cut here"
    assert shown[-2] == f"line {len(shown) - 2} of many"


def test_console() -> None:
    out = io.StringIO()
    send("console://", alert(), SendSettings(console=out))
    assert out.getvalue().startswith("Rumour: ")
    assert out.getvalue().endswith("\n\n")


@pytest.mark.parametrize(
    ("reply", "hard", "refused", "retry_after"),
    [
        (Reply(500), False, False, None),
        (Reply(502), False, False, None),
        (Reply(503, headers={"Retry-After": "30"}), False, False, 30),
        (Reply(429, headers={"Retry-After": "7"}), False, False, 7),
        (Reply(429), False, False, 60),
        (Reply(429, headers={"Retry-After": "soon"}), False, False, 60),
        (Reply(408), False, False, None),
        (Reply(400), True, False, None),
        (Reply(413), True, False, None),
        (Reply(401), True, True, None),
        (Reply(403), True, True, None),
        (Reply(404), True, True, None),
        (Reply(410), True, True, None),
        (Reply(302, headers={"Location": "/elsewhere"}), True, True, None),
        (Reply(307, headers={"Location": "http://127.0.0.1:1/"}), True, True, None),
        (Reply(lost=True), False, False, None),
    ],
)
def test_answers(receiver: Receiver, reply: Reply, hard: bool, refused: bool, retry_after: float | None) -> None:
    receiver.answer = lambda seen: reply
    error = refusal(receiver.url(HOOK))
    assert (error.hard, error.refused, error.retry_after) == (hard, refused, retry_after)
    assert len(receiver.seen) == 1  # no redirect followed, nothing tried twice
    if not reply.lost:
        assert str(reply.status) in error.what


def test_a_number_in_a_headline_is_no_answer_of_a_mail_server(receiver: Receiver) -> None:
    receiver.answer = lambda seen: Reply(lost=True)
    words = "Socket Exception: (550, b'no such desk')"
    message = replace(alert(), subject=words, body=f"{words}\n550, 'x' (550, b'x')")
    with pytest.raises(DeliveryError) as caught:
        send(receiver.url(HOOK), message, OPEN)
    assert not caught.value.hard


def test_a_date_to_come_back(receiver: Receiver) -> None:
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    receiver.answer = lambda seen: Reply(429, headers={"Retry-After": date})
    after = refusal(receiver.url(HOOK)).retry_after
    assert after is not None and 90 < after <= 100


def test_an_answer_that_never_ends_is_cut(receiver: Receiver) -> None:
    receiver.answer = lambda seen: Reply(200, b"x" * 400, drip_seconds=0.05)
    start = time.monotonic()
    error = refusal(receiver.url(HOOK), replace(OPEN, total_seconds=0.6))
    assert time.monotonic() - start < 2
    assert "no end after 0.6 seconds" in error.what
    assert not error.hard


def test_an_endless_fast_answer_is_not_kept(receiver: Receiver) -> None:
    receiver.answer = lambda seen: Reply(200, b"x" * 5_000_000)
    send(receiver.url(HOOK), alert(), OPEN)


def test_a_status_line_that_never_ends_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                for byte in b"H" * 200:
                    try:
                        peer.sendall(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        start = time.monotonic()
        error = refusal(f"json://127.0.0.1:{server.getsockname()[1]}/hook", replace(OPEN, total_seconds=0.6))
    assert time.monotonic() - start < 2
    assert "no end" in error.what


@pytest.mark.parametrize(
    ("verdict", "hard", "refused"),
    [
        ("550 no such desk", True, True),
        ("552 too big", True, False),
        ("451 later", False, False),
        ("421 busy", False, False),
    ],
)
def test_what_mail_servers_say(mailbox: Mailbox, verdict: str, hard: bool, refused: bool) -> None:
    mailbox.verdict = verdict
    error = refusal(mailbox.url)
    assert (error.hard, error.refused) == (hard, refused)
    assert verdict[:3] in error.what


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (
        f"json://127.0.0.1:{port}/",
        f"mailto://127.0.0.1:{port}/?from=a@example.org&to=b@example.org&mode=insecure",
    ):
        error = refusal(url)
        assert not error.hard
        assert "no connection" in error.what


@pytest.mark.parametrize("url", ["foo://x", "json://", "slack://x", "nonsense", "mailto://", "://"])
def test_addresses_that_are_none(url: str) -> None:
    error = refusal(url)
    assert error.hard and error.refused
    with pytest.raises(DeliveryError):
        check(url, "desk")


def test_an_address_is_shown_without_its_secrets() -> None:
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in check("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", "desk")
    assert check("console://", "desk") == "console://"


# --- where it may connect ---------------------------------------------------------------------------------------------

PRIVATE = (
    "127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]", "10.0.0.1", "192.168.1.1",
    "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "168.63.129.16",
    "198.18.0.1", "240.0.0.1", "[2002:7f00:1::]",
)  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_not_even_asked(host: str, receiver: Receiver) -> None:
    start = time.monotonic()
    error = refusal(f"json://{host}:{receiver.port}/hook", SendSettings())
    assert error.hard and error.refused
    assert "allow_private" in error.what or "not one that apprise understands" in error.what
    refusal(f"mailto://{host}:{receiver.port}/?from=a@example.org&to=b@example.org&mode=insecure", SendSettings())
    assert receiver.seen == []
    assert time.monotonic() - start < 3


def test_a_name_that_leads_inside_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A public name with a private answer, as DNS rebinding makes them: what counts is where the socket goes."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answers)
    assert "allow_private" in refusal("json://hooks.example.org/hook", SendSettings()).what
    assert receiver.seen == []


def test_outside_of_a_send_nothing_is_guarded(receiver: Receiver) -> None:
    refusal(f"json://127.0.0.1:{receiver.port}/hook", SendSettings())
    receiver.answer = lambda seen: (
        Reply(302, b"", {"Location": "/next"}) if seen.path == "/first" else Reply(200, b"end")
    )
    answer = requests.get(f"http://127.0.0.1:{receiver.port}/first", timeout=5)
    assert answer.content == b"end"
    assert [seen.path for seen in receiver.seen] == ["/first", "/next"]
    assert "Idempotency-Key" not in receiver.seen[-1].headers


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRETS = {
    "json": "json://joe:PASSWORDsecret1@127.0.0.1:{}/hook/PATHsecret2?+X-Auth=HEADERsecret3&-q=QUERYsecret4",
    "mmost": "mmost://127.0.0.1:{}/TOKENsecret5aaaaaaaaaaaaaaaaaaaa",
    "ntfy": "ntfy://tk_TOKENsecret6@127.0.0.1:{}/TOPICsecret7",
    "mailto": "mailto://joe:PASSWORDsecret8@127.0.0.1:{}/?from=a@example.org&to=b@example.org&mode=insecure",
}


@pytest.mark.parametrize(
    ("form", "status"), [*((f, s) for f in ("json", "mmost", "ntfy") for s in (200, 403, 500, 302)), ("mailto", 200)]
)
def test_no_secret_is_printed_at_debug(
    form: str, status: int, receiver: Receiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.answer = lambda seen: Reply(status, b"no: PATHsecret2", {"Location": "/PATHsecret2"})
    handler = logging.StreamHandler()
    root = logging.getLogger()
    root.addHandler(handler)
    caplog.set_level(logging.DEBUG)
    told_ = ""
    try:
        send(SECRETS[form].format(receiver.port), alert(), OPEN)
    except DeliveryError as error:
        told_ = f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"
    finally:
        root.removeHandler(handler)
    shown = capfd.readouterr()
    assert "secret" not in (shown.out + shown.err + caplog.text + told_).lower()


def test_without_the_filter_secrets_would_be_printed(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    """The control of the test above: the same request by apprise alone."""
    import apprise

    caplog.set_level(logging.DEBUG)
    plugin = apprise.Apprise.instantiate(SECRETS["mmost"].format(receiver.port))
    assert plugin.notify(body="x")
    assert "secret" in caplog.text.lower()
