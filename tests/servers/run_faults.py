"""Fetches URLs (JSON on stdin) in a process of its own and prints how each ended, with the memory it took.

A process of its own, so that the peak of memory is the client's alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from monitor.errors import FetchError
from monitor.fetch import FetchSettings, Request, fetch_iter
from servers.faults import lookup


def peak_mb() -> int:
    """Most memory so far. Not ru_maxrss: that is inherited from the process that started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


job = json.load(sys.stdin)
settings = FetchSettings(allow_hosts=tuple(job["allow"]), per_host=1000, host_failures=10**6, **job["settings"])
requests = [Request(url=url, kind=job.get("kind", "feed")) for url in job["urls"]]
before = peak_mb()
start = time.monotonic()
results = []
for index, result in fetch_iter(requests, settings, lookup):
    kind, what = (result.kind, result.what[:150]) if isinstance(result, FetchError) else ("ok", "")
    results.append({"index": index, "kind": kind, "seconds": time.monotonic() - start, "what": what})
json.dump(
    {"results": results, "peak_mb": peak_mb(), "before_mb": before, "seconds": time.monotonic() - start}, sys.stdout
)
