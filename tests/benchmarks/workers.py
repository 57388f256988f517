"""What a second worker brings: seconds per stage of a whole poll with one and two processes that extract, and of one
and two pollers at once on the same tables, each with its share of the feeds (the table in `deployments/README.md`).

    python -m tests.benchmarks.workers [--feeds 1000] [--articles 3000] [--deals 300]

The site answers on eight loopback addresses, as feeds are dealt out by host. Deals and alerts must be the same each
time. Processor seconds count all processes, and hardly depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.config import seed
from monitor.models import FAMILY
from monitor.store import open_store
from tests.benchmarks.frame import ROOT, machine
from tests.benchmarks.material import write_news

HOSTS = [f"127.0.0.{n}" for n in range(1, 9)]
SERVER = f"""
import asyncio, sys
from pathlib import Path
from tests.benchmarks.server import Connection, answers
async def serve():
    loop, known, port = asyncio.get_running_loop(), {{}}, 0
    for host in {HOSTS}:
        server = await loop.create_server(lambda: Connection(known), host, port, backlog=1024)
        port = server.sockets[0].getsockname()[1]
    known.update(answers(Path(sys.argv[1]), port))
    print(port, flush=True)
    await asyncio.sleep(1800)
asyncio.run(serve())
"""
POLLER = """
import json, sys, time
from pathlib import Path
from monitor.config import load_config
from monitor.pipeline import STEPS, Watch, open_run, watching
alerts = []
begun = time.perf_counter()
with watching(Watch(console=alerts.append)):
    shard = (int(sys.argv[2]), int(sys.argv[3]))
    with open_run(load_config(Path(sys.argv[1])), everything=True, shard=shard, lock=False) as run:
        for step in STEPS:
            step(run)
took = time.perf_counter() - begun
print(json.dumps({"seconds": run.report.seconds, "alerts": [a.key for a in alerts], "all": took}))
"""
Deals = set[tuple[str, ...]]


@contextmanager
def site(folder: Path) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def write(folder: Path, port: int, feeds: int, workers: int) -> None:
    folder.mkdir()
    (folder / "monitor.toml").write_text(
        "first_poll = 'alert'\n[fetch]\nallow_hosts=['127.0.0.0/8']\nper_host=16\n"
        f"[run]\nworkers={workers}\n[[channels]]\nname='c'\nurl='console://'\nmax_per_run=1000\n",
        encoding="utf-8",
    )
    rows = "".join(f'[[feeds]]\nurl="http://{HOSTS[n % 8]}:{port}/feed-{n}.xml"\n' for n in range(feeds))
    (folder / "feeds.toml").write_text(rows, encoding="utf-8")
    (folder / "watchlist.toml").write_bytes(seed("watchlist.toml").read_bytes())


def _burnt() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def poll(folder: Path, pollers: int) -> tuple[float, float, list[dict[str, Any]]]:
    """Seconds until the last poller is done and processor seconds of all, their starts included; what each says."""
    begun, burnt = time.perf_counter(), _burnt()
    words = [sys.executable, "-c", POLLER, str(folder)]
    children = [
        subprocess.Popen([*words, str(n), str(pollers)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for n in range(pollers)
    ]
    said = [json.loads(child.communicate(timeout=600)[0]) for child in children]
    return time.perf_counter() - begun, _burnt() - burnt, said


def deals(folder: Path) -> Deals:
    """Who with whom in which family of deals; the kind is that of the claim that came first, and so left to chance."""
    store = open_store(str(folder / "state"))
    return {(*sorted(e.parties), FAMILY[e.deal_type]) for e in store.load("events", store.latest("events"))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("feeds", 1000), ("articles", 3000), ("deals", 300)):
        parser.add_argument(f"--{name}", type=int, default=value)
    wanted = parser.parse_args()
    print(f"{machine()}; {wanted.feeds} feeds, {wanted.articles} articles, {wanted.deals} of them deals")
    found: list[tuple[Deals, int]] = []
    with tempfile.TemporaryDirectory() as name:
        pages = Path(name) / "site"
        pages.mkdir()
        write_news(pages, wanted.feeds, wanted.articles, wanted.deals)
        with site(pages) as port:
            for pollers, workers in ((1, 1), (1, 2), (2, 1)):
                folder = Path(name) / f"{pollers}-{workers}"
                write(folder, port, wanted.feeds, workers)
                took, burnt, said = poll(folder, pollers)
                slowest = max(said, key=lambda one: one["all"])
                told = [key for one in said for key in one["alerts"]]
                found.append((deals(folder), len(set(told))))
                print(f"{pollers} pollers, {workers} workers each: {slowest['all']:.1f} s ({took:.1f} s started), "
                      f"{burnt:.1f} processor seconds; "
                      f"{len(told)} alerts, {len(told) - len(set(told))} doubled")  # fmt: skip
                print("   " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in slowest["seconds"].items()))
    print("the same deals and as many alerts each time:", all(one == found[0] for one in found))


if __name__ == "__main__":
    main()
