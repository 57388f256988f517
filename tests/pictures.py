"""Takes the pictures of the README anew, from the demo's three mornings: `python -m tests.pictures`."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from monitor.web.site import Site
from monitor.world import recent_mornings
from tests.browsers import ARGUMENTS, CHROMIUM, poll_mornings, served

FOLDER = Path(__file__).parent.parent / "deployments" / "pictures"
DESK, PHONE = {"width": 1240, "height": 860}, {"width": 390, "height": 844}
SHOTS: tuple[tuple[str, str, dict[str, int], Any], ...] = (
    ("deals", "/events", DESK, "light"),
    ("deal", "/events/{deal}", {"width": 1240, "height": 1000}, "light"),
    ("graph", "/graph", {"width": 1240, "height": 720}, "dark"),
    ("phone", "/events", PHONE, "dark"),
)


def _breakfast() -> datetime:
    """Twenty minutes after the last of the mornings was polled."""
    return recent_mornings(datetime.now(UTC))[-1] + timedelta(minutes=20)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(file := poll_mornings(Path(folder)), site=Site(file, clock=_breakfast)) as home,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, path, size, scheme in SHOTS:
            page = browser.new_page(viewport=size, color_scheme=scheme)
            page.goto(f"{home}/events?q=kestrin")
            deal = (page.locator("a.names").first.get_attribute("href") or "").rpartition("/")[2]
            page.goto(home + path.format(deal=deal))
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()
    for file in sorted(FOLDER.glob("*.png")):
        print(f"{file.name}: {file.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
