"""Where each page is: on the server, or in the folder that `report` writes."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Protocol
from urllib.parse import quote

from monitor.models import stable_key

PAGES = ("events", "companies", "graph", "volumes", "feeds", "alerts", "explain")


class Links(Protocol):
    """Addresses as the templates want them."""

    live: bool

    def page(self, name: str) -> str:
        """One of PAGES."""

    def event(self, event_id: str) -> str:
        """A deal."""

    def company(self, name: str) -> str:
        """A company."""

    def asset(self, name: str) -> str:
        """A file of `assets/`."""


class Served:
    """On the server, from its root."""

    live = True

    def page(self, name: str) -> str:
        return f"/{name}"

    def event(self, event_id: str) -> str:
        return f"/events/{quote(event_id, safe='')}"

    def company(self, name: str) -> str:
        return f"/companies/{quote(name, safe='')}"

    def asset(self, name: str) -> str:
        return f"/assets/{fingerprint(name)}/{name}"


class Filed:
    """In a folder, relative to a page that lies `depth` folders below its top."""

    live = False

    def __init__(self, depth: int = 0) -> None:
        self._top = "../" * depth

    def page(self, name: str) -> str:
        return f"{self._top}{'index' if name == 'events' else name}.html"

    def event(self, event_id: str) -> str:
        return f"{self._top}events/{quote(event_id, safe='')}.html"

    def company(self, name: str) -> str:
        return f"{self._top}companies/{company_key(name)}.html"

    def asset(self, name: str) -> str:
        return f"{self._top}assets/{name}"


def company_key(name: str) -> str:
    """A file name for a company, whatever its name holds."""
    return f"{stable_key('company', name.casefold()):016x}"


def asset(name: str) -> bytes:
    """The bytes of a file of `assets/`."""
    return (files("monitor.web") / "assets" / name).read_bytes()


@cache
def fingerprint(name: str) -> str:
    """Changes when the file does, so that browsers may keep it for good."""
    return hashlib.sha256(asset(name)).hexdigest()[:12]
