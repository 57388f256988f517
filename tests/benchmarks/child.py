"""Runs one contestant and prints its figures: `python -m tests.benchmarks.child MODULE:FUNCTION JSON`."""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    module, _, name = sys.argv[1].partition(":")
    figures = getattr(import_module(f"tests.benchmarks.{module}"), name)(json.loads(sys.argv[2]))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
