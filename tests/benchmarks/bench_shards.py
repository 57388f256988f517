"""One poller against several at once on the same tables, each with its share of the feeds: what a second worker brings.

    python tests/benchmarks/bench_shards.py [--feeds 1000] [--articles 3000] [--deals 300]

The site answers on eight loopback addresses, as feeds are dealt out by host. Each poller is a process with one worker
of its own, as on machines of one core. Prints the time until all are done, the seconds per stage of the slowest, and
whether the deals and alerts are the same.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "benchmarks")]

from bench_poll import SERVER, make_site  # noqa: E402

from monitor.config import seed  # noqa: E402
from monitor.models import FAMILY  # noqa: E402
from monitor.store import open_store  # noqa: E402

HOSTS = [f"127.0.0.{n}" for n in range(1, 9)]
MORE_HOSTS = """    port = site._server.sockets[0].getsockname()[1]
    for n in range(2, 9):
        await web.TCPSite(runner, f"127.0.0.{n}", port).start()
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


def poll(folder: Path, pollers: int) -> tuple[float, list[dict[str, Any]]]:
    begun = time.perf_counter()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", POLLER, str(folder), str(n), str(pollers)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for n in range(pollers)
    ]
    answers = [json.loads(child.communicate(timeout=600)[0]) for child in children]
    return time.perf_counter() - begun, answers


def write(folder: Path, port: int, feeds: int) -> None:
    folder.mkdir()
    (folder / "monitor.toml").write_text(
        "first_poll = 'alert'\n[fetch]\nallow_hosts=['127.0.0.0/8']\nper_host=16\n[run]\nworkers=1\n"
        "[[channels]]\nname='c'\nurl='console://'\nmax_per_run=1000\n",
        encoding="utf-8",
    )
    rows = "".join(f'[[feeds]]\nurl="http://{HOSTS[n % 8]}:{port}/feed-{n}.xml"\n' for n in range(feeds))
    (folder / "feeds.toml").write_text(rows, encoding="utf-8")
    (folder / "watchlist.toml").write_bytes(seed("watchlist.toml").read_bytes())


def deals(folder: Path) -> set[tuple[str, ...]]:
    """Who with whom in which family of deals; the kind is that of the claim that came first, and so left to chance."""
    store = open_store(str(folder / "state"))
    return {(*sorted(e.parties), FAMILY[e.deal_type]) for e in store.load("events", store.latest("events"))}


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("feeds", 1000), ("articles", 3000), ("deals", 300)):
        parser.add_argument(f"--{name}", type=int, default=value)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        site = Path(name) / "site"
        site.mkdir()
        make_site(site, wanted.feeds, wanted.articles, wanted.deals)
        code = SERVER.replace("    print(site", MORE_HOSTS + "    print(site")
        server = subprocess.Popen([sys.executable, "-c", code, str(site)], stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        found: list[tuple[set[tuple[str, ...]], set[str]]] = []
        try:
            for pollers in (1, 2):
                folder = Path(name) / f"{pollers}"
                write(folder, port, wanted.feeds)
                took, answers = poll(folder, pollers)
                slowest = max(answers, key=lambda a: a["all"])
                told = [key for a in answers for key in a["alerts"]]
                found.append((deals(folder), set(told)))
                print(f"{pollers} pollers: {took:.1f} s with starting, {slowest['all']:.1f} s without; "
                      f"{len(told)} alerts, {len(told) - len(set(told))} doubled")  # fmt: skip
                print("   " + ", ".join(f"{stage} {s:.2f} s" for stage, s in slowest["seconds"].items()))
        finally:
            server.kill()
    print("same deals:", found[0][0] == found[1][0], " same alerts:", len(found[0][1]) == len(found[1][1]))


if __name__ == "__main__":
    main()
