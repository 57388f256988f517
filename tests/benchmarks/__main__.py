"""The product against what a user would otherwise run, side by side.

    uv run --group bench python -m tests.benchmarks                 the whole table (an hour, and 30 GB for the tables)
    uv run --group bench python -m tests.benchmarks --quick         everything, small (two minutes; ratios mean little)
    uv run --group bench python -m tests.benchmarks unchanged cold  some rows

What was measured is kept per row in `results.json` and written as a table with growth charts to `RESULTS.md`, both in
the folder of `--out`. Loads go to loopback only, and end by themselves.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib import import_module
from pathlib import Path

from tests.benchmarks.frame import Bench, Result, machine, now, say
from tests.benchmarks.report import render

# name -> module:function, in the order of the table
ROWS = {
    "unchanged": "polling:unchanged",
    "cold": "polling:cold",
    "matching": "matching:companies",
    "detection": "detection:per_article",
    "extraction": "extraction:speed",
    "tables": "tables:commits",
    "whole": "whole:poll",
    "commands": "commands:answer",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, one run each: does everything still work?")
    parser.add_argument("--runs", type=int, help="runs per contestant, of which the median counts (default 5)")
    parser.add_argument("--out", type=Path, default=Path("bench-results"), help="folder of the results")
    parser.add_argument("--keep", type=Path, default=Path("bench-keep"), help="folder for what takes long to build")
    wanted = parser.parse_args()
    if unknown := set(wanted.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    wanted.out.mkdir(parents=True, exist_ok=True)
    file = wanted.out / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name in wanted.rows or ROWS:
        results[name] = measure(name, wanted.quick, wanted.runs, wanted.keep).as_dict()
        file.write_text(json.dumps(results, indent=1), encoding="utf-8")
        text = render([Result.from_dict(results[row]) for row in ROWS if row in results])
        (wanted.out / "RESULTS.md").write_text(text, encoding="utf-8")
    print(render([Result.from_dict(results[name]) for name in wanted.rows or ROWS]))


def measure(name: str, quick: bool, runs: int | None, keep: Path) -> Result:
    module, _, function = ROWS[name].partition(":")
    say(f"{name} ...")
    before = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(folder=Path(folder), keep=keep.resolve(), quick=quick, runs=runs or (1 if quick else 5))
        result: Result = getattr(import_module(f"tests.benchmarks.{module}"), function)(bench)
    result.machine, result.when = before, now()
    if quick:
        result.title += " (quick size)"
    return result


if __name__ == "__main__":
    main()
