"""The door of the page: which requests come in, which do not, and who must sign in."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from monitor.web.guard import Patience, Rules, known_hosts, refuse
from tests.webs import browser, desk

HOST = "127.0.0.1:8420"
CLICK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, None),
        ("GET", {"host": "localhost:1"}, None),
        ("GET", {"host": "[::1]:8420"}, None),
        ("GET", {"host": "LOCALHOST"}, None),
        ("GET", {"host": "evil.example"}, 421),
        ("GET", {"host": "127.0.0.1.evil.example"}, 421),
        ("GET", {"host": "evil.example:8420@127.0.0.1"}, 421),
        ("GET", {"host": "127.0.0.1@evil.example"}, 421),
        ("GET", {"host": "127.0.0.1/evil.example"}, 421),
        ("GET", {"host": "[::1"}, 421),
        ("GET", {"host": ""}, 421),
        ("GET", {"sec-fetch-site": "same-origin"}, None),
        ("GET", {"sec-fetch-site": "none", **CLICK}, None),
        ("GET", {"sec-fetch-site": "cross-site", **CLICK}, None),  # a link in a mail
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 403),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ("GET", {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, 403),
        ("POST", {}, None),  # a program of this machine; the form's word is asked for behind the door
        ("POST", {"origin": f"http://{HOST}"}, None),
        ("POST", {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}, None),
        ("POST", {"origin": "https://evil.example"}, 403),
        ("POST", {"origin": "null"}, 403),
        ("POST", {"origin": "http://127.0.0.1:9999"}, 403),  # another server of this machine
        ("POST", {"origin": f"http://{HOST}.evil.example"}, 403),
        ("POST", {"sec-fetch-site": "cross-site", **CLICK}, 403),
        ("POST", {"sec-fetch-site": "same-site"}, 403),
        ("POST", {"sec-fetch-site": "none"}, 403),
        ("PUT", {}, 405),
        ("OPTIONS", {"origin": f"http://{HOST}"}, 405),
    ],
)
def test_who_comes_in(method: str, headers: dict[str, str], status: int | None) -> None:
    answer = refuse(method, Headers({"host": HOST, **headers}), Rules())
    assert (answer.status_code if answer else None) == status


def test_two_host_headers_are_one_too_many() -> None:
    raw = [(b"host", HOST.encode()), (b"host", b"evil.example")]
    answer = refuse("GET", Headers(raw=raw), Rules())
    assert answer is not None
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("host", "page_url", "more", "knows", "knows_not"),
    [
        ("127.0.0.1", "", (), "localhost", "0.0.0.0"),
        ("0.0.0.0", "", (), "127.0.0.1", "0.0.0.0"),
        ("0.0.0.0", "https://Deals.example:8443", (), "deals.example", "example"),
        ("192.0.2.7", "", ("desk.lan",), "desk.lan", "lan"),
        ("192.0.2.7", "", (), "192.0.2.7", ""),
    ],
)
def test_names_of_the_page(host: str, page_url: str, more: tuple[str, ...], knows: str, knows_not: str) -> None:
    hosts = known_hosts(host, page_url, more)
    assert knows in hosts
    assert knows_not not in hosts


def test_every_answer_carries_the_policy(tmp_path: Path) -> None:
    client = browser(desk(tmp_path))
    for path in ("/events", "/nothing", "/assets/x/page.css", "/assets/x/../monitor.toml"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
    assert client.get("/events").headers["cache-control"] == "no-store"
    assert client.get("/events", headers={"host": "evil.example"}).status_code == 421


class TestToken:
    """A page for more than this machine."""

    RULES = Rules(token="open sesame, please")

    def test_strangers_sign_in_first(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        answer = client.get("/events?q=orm")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2Fevents%3Fq%3Dorm"
        assert client.get("/nothing").status_code == 303  # not even whether a page exists is told
        assert client.get("/login").status_code == 200
        assert client.post("/events").status_code == 401

    def test_the_right_token_opens(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        form = {"token": self.RULES.token, "csrf": self.RULES.csrf, "next": "/events?q=orm"}
        answer = client.post("/login", data=form)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/events?q=orm"
        kept = answer.headers["set-cookie"].lower()
        assert "httponly" in kept
        assert "samesite=strict" in kept
        assert self.RULES.token not in answer.headers["set-cookie"]
        assert client.get("/events").status_code == 200

    def test_signing_out(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        client.post("/login", data={"token": self.RULES.token, "csrf": self.RULES.csrf})
        assert "Sign out" in client.get("/events").text
        client.post("/login", data={"out": "1"})  # not our form
        assert client.get("/events").status_code == 200
        client.post("/login", data={"out": "1", "csrf": self.RULES.csrf})
        assert client.get("/events").status_code == 303

    def test_the_wrong_one_does_not(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        answer = client.post("/login", data={"token": "open", "csrf": self.RULES.csrf})
        assert answer.status_code == 403
        assert client.post("/login", data={"token": self.RULES.token, "csrf": "guess"}).status_code == 403
        assert client.get("/events").status_code == 303

    def test_programs_send_it_along(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        good, bad = f"Bearer {self.RULES.token}", "Bearer open"
        assert client.get("/events", headers={"authorization": good}).status_code == 200
        assert client.get("/events", headers={"authorization": bad}).status_code == 303
        assert client.get("/events", headers={"authorization": self.RULES.token}).status_code == 303

    @pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "/login", ""])
    def test_nobody_is_sent_elsewhere(self, tmp_path: Path, onward: str) -> None:
        client = browser(desk(tmp_path), self.RULES)
        form = {"token": self.RULES.token, "csrf": self.RULES.csrf, "next": onward}
        assert client.post("/login", data=form).headers["location"] == "/events"

    def test_a_link_in_a_mail_asks_again_from_here(self, tmp_path: Path) -> None:
        client = browser(desk(tmp_path), self.RULES)
        answer = client.get("/events", headers={"sec-fetch-site": "cross-site", **CLICK})
        assert answer.status_code == 200
        assert 'http-equiv="refresh"' in answer.text
        assert "Deals" not in answer.text

    @pytest.mark.parametrize("forged", ["", "9", "99999999999.", "99999999999.00", "x.y", "²³.a", "1.é"])
    def test_cookies_are_not_guessed(self, forged: str) -> None:
        assert not self.RULES.knows(forged, time.time())

    def test_cookies_end(self) -> None:
        kept = self.RULES.session(1000)
        assert self.RULES.knows(kept, 999)
        assert not self.RULES.knows(kept, 1000)
        assert not self.RULES.knows("2000" + kept.removeprefix("1000"), 999)
        assert not Rules(token="another").knows(kept, 999)

    @pytest.mark.anyio
    async def test_guessing_gets_slower(self) -> None:
        waited: list[float] = []

        async def sleep(seconds: float) -> None:
            waited.append(seconds)

        patience = Patience(sleep)
        for right in (False, False, False, True, False):
            await patience.judge(right)
        assert waited == [0.5, 1.0, 2.0, 0.5]
