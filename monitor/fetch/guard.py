"""Keeps the monitor from being sent to addresses that are not the public Internet (server-side request forgery).

Three gates, because each alone was got around in measurements: the URL of every hop (literals never reach a resolver),
every address that a name resolves to (one bad one spoils the answer), and the socket itself, just before it connects
(what counts is where it goes). Knows addresses; knows no HTTP.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from monitor.addresses import Address, Network, is_public
from monitor.fetch.wire import failure

_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "metadata", "metadata.google.internal")
_LOCAL_SUFFIXES = (".localhost", ".internal", ".local", ".localdomain", ".home.arpa", ".lan")

Lookup = Callable[[str, int, int], Iterable[tuple[int, str]]]


class Guard:
    """Says where to go and where not. `allow` names what is exempt: hosts, addresses, networks ("10.1.0.0/16")."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        self._vouched: set[str] = set()  # addresses that an exempt name resolved to
        for item in allow:
            try:
                self._networks.append(ipaddress.ip_network(item, strict=False))
            except ValueError:
                self._names.add(item.lower().rstrip("."))

    def check_url(self, url: str | URL) -> URL:
        """The URL, parsed, if it may be asked for; else raise FetchError (`bad_url`, `forbidden_address`)."""
        try:
            parsed = URL(url) if isinstance(url, str) else url
            host, port = (parsed.host or "").rstrip("."), parsed.port
        except (ValueError, TypeError) as error:
            raise failure(str(url), "bad_url", str(error)) from error
        if parsed.scheme not in ("http", "https") or not host or not port:
            raise failure(str(url), "bad_url", "only http:// and https:// URLs with a host are fetched")
        if "%" in host and ":" not in host:
            raise failure(str(url), "bad_url", "an escaped character in the host")
        if host.lower() in self._names:
            return parsed
        literal = _literal(host)
        if literal is not None:
            self._check_address(str(url), literal)
        elif host.lower() in _LOCAL_NAMES or host.lower().endswith(_LOCAL_SUFFIXES):
            raise failure(str(url), "forbidden_address", f"{host} is a local name")
        return parsed

    def check_answer(self, host: str, addresses: Iterable[str]) -> None:
        """Raise FetchError if any address that `host` resolved to is forbidden."""
        exempt = host.lower().rstrip(".") in self._names
        for text in addresses:
            if exempt:
                self._vouched.add(text.partition("%")[0])
            else:
                self._check_address(f"//{host}", ipaddress.ip_address(text.partition("%")[0]))

    def check_socket(self, address: str) -> None:
        """The last gate: raise FetchError if a socket is about to connect to a forbidden address."""
        bare = address.partition("%")[0]
        if bare in self._vouched or self.allows(ipaddress.ip_address(bare)):
            return
        raise failure(f"//{address}", "forbidden_address", "stopped at the socket")

    def allows(self, address: Address) -> bool:
        """Whether an address is public or exempt."""
        if is_public(address):
            return True
        plain = address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
        return any(plain in network for network in self._networks)

    def _check_address(self, url: str, address: Address) -> None:
        if not self.allows(address):
            raise failure(url, "forbidden_address", str(address))


def check_url(url: str, allow: Iterable[str] = ()) -> None:
    """Raise FetchError unless `url` is http(s) and every address of its host is public or exempt. Asks the resolver.

    For addresses that come from a configuration file and are used by somebody else (webhooks).
    """
    guard = Guard(allow)
    parsed = guard.check_url(url)
    host = parsed.host or ""
    try:
        guard.check_answer(host, [address for _, address in look_up(host, parsed.port or 0, socket.AF_UNSPEC)])
    except OSError as error:
        raise failure(url, "dns", str(error)) from error


def _literal(host: str) -> Address | None:
    """The address that a host is a way of writing: also 0x7f.1, 017700000001, 2130706433 as C libraries read them."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if host[-1:].isdigit() or host.rpartition(".")[2][:2] in ("0x", "0X"):
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    return None


def look_up(host: str, port: int, family: int) -> list[tuple[int, str]]:
    """Blocking name look-up: (family, address) pairs."""
    found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((entry[0], str(entry[4][0])) for entry in found))


class GuardedResolver(AbstractResolver):
    """Resolves names in daemon threads of its own (a stalled name must hold up neither the others nor the exit)."""

    def __init__(self, guard: Guard, threads: int, lookup: Lookup = look_up) -> None:
        self._guard, self._lookup = guard, lookup
        self._turns = asyncio.Semaphore(threads)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of `host`; OSError if there are none, FetchError if one is forbidden."""
        answers = await self._in_thread(host, port, family)
        self._guard.check_answer(host, [address for _, address in answers])
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)
            for kind, address in answers
        ]

    async def close(self) -> None:
        """Nothing to release: threads still at work are daemons."""

    async def _in_thread(self, host: str, port: int, family: int) -> list[tuple[int, str]]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[tuple[int, str]]] = loop.create_future()

        def settle(result: list[tuple[int, str]] | OSError) -> None:
            self._turns.release()
            if answer.done():
                return
            if isinstance(result, OSError):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def work() -> None:
            result: list[tuple[int, str]] | OSError
            try:
                result = list(self._lookup(host, port, family))
            except OSError as error:
                result = error
            except ValueError as error:  # idna: label too long, empty label
                result = OSError(str(error))
            if not loop.is_closed():
                try:
                    loop.call_soon_threadsafe(settle, result)
                except RuntimeError:  # closed just now: nobody waits any more
                    return

        await self._turns.acquire()
        threading.Thread(target=work, name=f"dns {host}", daemon=True).start()
        return await answer


def socket_factory(guard: Guard) -> Callable[[Any], socket.socket]:
    """For aiohttp's connector: makes sockets only for addresses that the guard lets through."""

    def make(info: Any) -> socket.socket:
        family, kind, proto, _, sockaddr = info
        guard.check_socket(str(sockaddr[0]))
        made = socket.socket(family=family, type=kind, proto=proto)
        made.setblocking(False)
        return made

    return make
