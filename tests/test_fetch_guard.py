"""No form of a private address is ever connected to: directly, by redirect, by name, by a name that changes its mind.

The judge is Python itself: an audit hook sees every connect of this process, whoever makes it.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from servers import LoopbackServer, answer, redirect
from yarl import URL

from monitor.errors import FetchError
from monitor.fetch import FetchSettings, Request, Response, check_url, fetch
from monitor.fetch.guard import Guard, is_public

FORBIDDEN = [
    line.encode().decode("unicode_escape").encode("latin-1").decode("utf-8") if "\\" in line else line
    for line in (Path(__file__).parent / "data/fetch/forbidden_urls.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
PUBLIC = "93.184.215.14"
SERVER = "127.9.9.9"  # where the redirecting server lives: the one private address that is allowed
QUICK = FetchSettings(connect_seconds=0.3, read_seconds=0.3, total_seconds=0.6, per_host=50, host_failures=10**6)
_attempts: list[str] = []
_offline: list[bool] = []  # holds something while the tests of this module run


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _attempts.append(address := str(arguments[1][0]))
        if _offline and not address.startswith("127."):
            raise OSError("no network in tests")


sys.addaudithook(_watch)


@pytest.fixture
def attempts() -> Iterator[list[str]]:
    """Addresses that this process tried to connect to."""
    _attempts.clear()
    _offline.append(True)
    yield _attempts
    _offline.clear()


@pytest.fixture(scope="module")
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(address=SERVER) as server:
        yield server


def names(table: dict[str, Iterable[str]]) -> Any:
    """A resolver that knows these names; an iterator's next item is the answer to each question."""

    def lookup(host: str, port: int, family: int) -> list[tuple[int, str]]:
        found = table.get(host)
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = next(found) if isinstance(found, Iterator) else found  # type: ignore[var-annotated]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in answers]

    return lookup


def real(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """The system's own reading of literals (what naive clients ask), and no network."""
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [(entry[0], str(entry[4][0])) for entry in found]


def kinds(results: Iterable[Response | FetchError]) -> set[str]:
    return {result.kind if isinstance(result, FetchError) else "ok" for result in results}


def test_there_are_enough_forms() -> None:
    assert len(set(FORBIDDEN)) >= 130


def test_direct_forms(attempts: list[str]) -> None:
    results = fetch([Request(url=url) for url in FORBIDDEN], QUICK, real)
    assert attempts == []
    assert kinds(results) <= {"forbidden_address", "bad_url", "dns"}
    named = [u for u, r in zip(FORBIDDEN, results, strict=True) if isinstance(r, FetchError) and r.kind == "dns"]
    assert not [url for url in named if "example.com" not in url], "reached the resolver"


def test_forms_as_redirects(attempts: list[str], server: LoopbackServer) -> None:
    targets = [url for url in FORBIDDEN if url.isprintable() and url.isascii()]
    urls = [server.on(f"/r{place}", redirect(url)) for place, url in enumerate(targets)]
    results = fetch([Request(url=url) for url in urls], _allowing(SERVER), real)
    assert len(targets) >= 70
    assert set(attempts) == {SERVER}
    relative = {
        "not_found",
        "redirect_loop",
    }  # "127.0.0.1" or "http:/127.0.0.1/" as a Location is a path on the server itself
    assert kinds(results) <= {"forbidden_address", "bad_url", "bad_redirect", "dns"} | relative


def _allowing(*hosts: str) -> FetchSettings:
    return FetchSettings(
        connect_seconds=0.5, read_seconds=1, total_seconds=5, per_host=50, host_failures=10**6, allow_hosts=hosts
    )


NAMES = {
    "loopback.test": [["127.0.0.1"]],
    "six.test": [["::1"]],
    "mapped.test": [["::ffff:10.0.0.1"]],
    "nat64.test": [["64:ff9b::7f00:1"]],
    "sixtofour.test": [["2002:7f00:1::"]],
    "metadata.test": [["169.254.169.254"]],
    "azure.test": [["168.63.129.16"]],
    "shared.test": [["100.64.0.1"]],
    "zero.test": [["0.0.0.0"]],
    "link.test": [["fe80::1%lo"]],
    "unique.test": [["fd00:ec2::254"]],
    "mixed.test": [[PUBLIC, "127.0.0.1"]],
    "mixed-other-way.test": [["10.0.0.1", PUBLIC]],
    "mixed-six.test": [[PUBLIC, "::1"]],
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_point_inside(name: str, attempts: list[str]) -> None:
    [result] = fetch([Request(url=f"http://{name}/")], QUICK, names({name: NAMES[name][0]}))
    assert isinstance(result, FetchError)
    assert result.kind == "forbidden_address"
    assert attempts == []


def test_rebinding(attempts: list[str]) -> None:
    """A name that is public when asked first and private after that, and the other way round."""
    table = {"rebind.test": cycle([[PUBLIC], ["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1", PUBLIC]])}
    for _ in range(12):
        fetch([Request(url="http://rebind.test/")], QUICK, names(table))
    assert set(attempts) == {PUBLIC}


def test_public_control(attempts: list[str]) -> None:
    """The guard lets the public through: a connect is attempted, and nothing else stopped it."""
    requests = [Request(url=url) for url in ("http://news.test/", f"http://{PUBLIC}/", "http://[2606:4700::1111]/")]
    results = fetch(requests, QUICK, names({"news.test": [PUBLIC]}))
    assert attempts.count(PUBLIC) == 2
    assert "2606:4700::1111" in attempts
    assert kinds(results) == {"connect"}


def test_allowed_name_may_point_inside(attempts: list[str], server: LoopbackServer) -> None:
    server.on("/inside", answer(b"hello"))
    lookup = names({"intranet.test": [SERVER], "other.test": [SERVER]})
    settings = _allowing("intranet.test")
    [inside] = fetch([Request(url=f"http://intranet.test:{server.port}/inside")], settings, lookup)
    assert isinstance(inside, Response)
    # the exemption is the name's: neither another name nor the bare address may use it
    for url in (f"http://other.test:{server.port}/inside", f"http://{SERVER}:{server.port}/inside"):
        [result] = fetch([Request(url=url)], settings, lookup)
        assert kinds([result]) == {"forbidden_address"}


def test_allowed_network(server: LoopbackServer) -> None:
    server.on("/inside", answer(b"hello"))
    [result] = fetch([Request(url=server.url("/inside"))], _allowing("127.9.0.0/16"))
    assert isinstance(result, Response)


def test_webhooks_pass_the_same_guard() -> None:
    for url in ("http://127.0.0.1/hook", "http://localhost/hook", "http://[::1]/", "file:///etc/passwd"):
        with pytest.raises(FetchError):
            check_url(url)
    check_url("http://127.0.0.1/hook", allow=("127.0.0.0/8",))


@pytest.mark.parametrize(
    ("gate", "leak"),
    [
        ("check_url", {"10.0.0.1"}),
        ("check_answer", {"127.0.0.1"}),
        ("check_socket", set()),
        ("", {"127.0.0.1", "10.0.0.1"}),
    ],
)
def test_what_one_gate_alone_lets_through(
    gate: str, leak: set[str], attempts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seeded bugs: with the others broken, names pass the first gate, literals the second, nothing the third."""
    for other in {"check_url", "check_answer", "check_socket"} - {gate}:
        monkeypatch.setattr(Guard, other, (lambda _, url: URL(url)) if other == "check_url" else lambda *_: None)
    lookup = names({"in.test": ["10.0.0.1"]})
    fetch([Request(url="http://in.test:9/"), Request(url="http://127.0.0.1:9/")], QUICK, lookup)
    assert set(attempts) == leak


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("8.8.8.8", True), ("1.1.1.1", True), (PUBLIC, True), ("2606:4700::1111", True), ("172.15.255.255", True),
        ("172.32.0.1", True), ("100.63.255.255", True), ("100.128.0.1", True), ("198.17.0.1", True),
        ("11.0.0.1", True), ("::ffff:8.8.8.8", True), ("::ffff:10.0.0.1", False), ("192.88.99.1", False),
    ],
)  # fmt: skip
def test_boundaries_of_networks(text: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(text)) is public
