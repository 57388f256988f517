"""Fetches URLs (JSON on stdin) in a process of its own and prints how each ended, with the memory it took.

A process of its own, so that the peak of memory is the client's alone.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from monitor.errors import FetchError
from monitor.fetch import FetchSettings, Request, fetch_iter
from servers.faults import lookup

job = json.load(sys.stdin)
settings = FetchSettings(allow_hosts=tuple(job["allow"]), per_host=1000, host_failures=10**6, **job["settings"])
requests = [Request(url=url, kind=job.get("kind", "feed")) for url in job["urls"]]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
start = time.monotonic()
results = []
for index, result in fetch_iter(requests, settings, lookup):
    kind = result.kind if isinstance(result, FetchError) else "ok"
    results.append({"index": index, "kind": kind, "seconds": time.monotonic() - start, "what": str(result)[:150]})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
json.dump({"results": results, "peak_mb": peak, "before_mb": before, "seconds": time.monotonic() - start}, sys.stdout)
