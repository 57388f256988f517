"""A whole poll on loopback: feeds asked, pages fetched and extracted, claims found, deals folded, alerts handed over.

    python tests/benchmarks/bench_poll.py [--feeds 1000] [--articles 3000] [--deals 300] [--workers 2] [--runs 3]

The site is a process of its own; pages have the size of real ones (some 60 KB of markup around 3 KB of text). Prints
seconds per stage, the median of several runs, and the poll after it, in which every feed answers 304.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from monitor.config import load_config, load_watchlist, seed  # noqa: E402
from monitor.pipeline import STEPS, RunReport, Watch, open_run, watching  # noqa: E402

WORDS = re.findall(
    r"\w+",
    "harbour museum council weather season market street bridge garden winter report school music river letter "
    "window engine forest island paper summer valley kitchen morning evening stone copper silver train station",
)
FIRMS = ("Kestrel Works", "Juniper Foods", "Halden Optics", "Marlow Robotics", "Tessaly Stores", "Orrin Power")


def text(rng: random.Random, size: int = 3000) -> str:
    out: list[str] = []
    while sum(map(len, out)) < size:
        words = [rng.choice(WORDS) for _ in range(rng.randint(9, 22))]
        out.append(" ".join(words).capitalize() + ".")
    return "\n".join(out)


def make_site(folder: Path, feeds: int, articles: int, deals: int) -> None:
    """Static files: `feed-N.xml`, `page-N.html`."""
    rng = random.Random(7)
    watched = [c.name for c in load_watchlist(seed("watchlist.toml"))][:60]
    furniture = (
        "".join(
            f"<li class='menu-item item-{n}'><a href='/section/{n}/page' title='{n}'><span>Part {n}</span></a></li>"
            for n in range(250)
        )
        + "<script>"
        + "var a=1;" * 2500
        + "</script>"
    )
    titles = []
    for number in range(articles):
        if number % max(1, articles // max(deals, 1)) == 0:
            kind = rng.choice(("sign a licensing deal", "sign a supply contract", "announce a partnership"))
            titles.append(f"{rng.choice(watched)} and {rng.choice(FIRMS)} {kind} number {number}")
        else:
            titles.append(" ".join(rng.choice(WORDS) for _ in range(9)).capitalize())
        body = "".join(f"<p>{line}</p>" for line in text(rng).split("\n"))
        page = (
            f"<html><head><title>{titles[-1]}</title></head><body><nav><ul>{furniture}</ul></nav>"
            f"<article><h1>{titles[-1]}</h1><p>{titles[-1]}.</p>{body}</article></body></html>"
        )
        (folder / f"page-{number}.html").write_text(page, encoding="utf-8")
    for number in range(feeds):
        rows = "".join(
            f"<item><title>{titles[n]}</title><link>http://HOST/page-{n}.html</link><guid>{n}</guid>"
            f"<description>{titles[n]}.</description></item>"
            for n in range(number, articles, feeds)
        )
        feed = f"<rss version='2.0'><channel><title>Feed {number}</title>{rows}</channel></rss>"
        (folder / f"feed-{number}.xml").write_text(feed, encoding="utf-8")


SERVER = """
import asyncio, sys
from pathlib import Path
from aiohttp import web
folder = Path(sys.argv[1])
async def answer(request):
    path = folder / request.path[1:]
    tag = '"1"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    kind = "application/rss+xml" if path.suffix == ".xml" else "text/html"
    body = path.read_bytes().replace(b"HOST", request.host.encode())
    return web.Response(body=body, content_type=kind, charset="utf-8", headers={"ETag": tag})
async def main():
    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""


def one_run(folder: Path, port: int, feeds: int, workers: int) -> tuple[RunReport, float, RunReport, float]:
    (folder / "monitor.toml").write_text(
        f"first_poll = 'alert'\n[fetch]\nallow_hosts=['127.0.0.1']\nper_host=16\n[run]\nworkers={workers}\n"
        "[[channels]]\nname='c'\nurl='console://'\nmax_per_run=1000\n",
        encoding="utf-8",
    )
    rows = "".join(f'[[feeds]]\nurl="http://127.0.0.1:{port}/feed-{n}.xml"\n' for n in range(feeds))
    (folder / "feeds.toml").write_text(rows, encoding="utf-8")
    (folder / "watchlist.toml").write_bytes(seed("watchlist.toml").read_bytes())
    config = load_config(folder)
    out = []
    for _ in range(2):
        start = time.perf_counter()
        with watching(Watch(console=lambda alert: None)), open_run(config, everything=True) as run:
            for step in STEPS:
                step(run)
        out += [run.report, time.perf_counter() - start]
    return tuple(out)  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("feeds", 1000), ("articles", 3000), ("deals", 300), ("workers", 2), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        site.mkdir()
        make_site(site, wanted.feeds, wanted.articles, wanted.deals)
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(site)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        runs = []
        try:
            for number in range(wanted.runs):
                folder = Path(name) / f"run{number}"
                folder.mkdir()
                runs.append(one_run(folder, port, wanted.feeds, wanted.workers))
        finally:
            server.kill()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {wanted.runs} runs, median"
    )
    first = runs[0][0]
    print(f"{first.feeds} feeds, {first.articles} articles, {first.claims} claims, {first.sent} alerts, "
          f"{len(first.problems)} problems")  # fmt: skip
    for stage in first.seconds:
        print(f"  {stage:<16} {statistics.median(r[0].seconds[stage] for r in runs):8.2f} s")
    print(f"  {'cold, in all':<16} {statistics.median(r[1] for r in runs):8.2f} s")
    print(f"  {'again, all 304':<16} {statistics.median(r[3] for r in runs):8.2f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of the main process {peak:.0f} MB")


if __name__ == "__main__":
    main()
