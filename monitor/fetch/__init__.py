"""Fetching over HTTP: one door to the web, polite and guarded.

`fetch(requests, settings)` gives results in order, `fetch_iter` as they come, `fetch_all` the same for event loops.
Each result is a `Response` (a whole, decoded body or a 304) or a `FetchError` with one of `KINDS`.
"""

from monitor.fetch.answers import answer_of, fresh_for
from monitor.fetch.client import Fetcher, Result, fetch_all
from monitor.fetch.guard import Guard, check_url
from monitor.fetch.threaded import fetch, fetch_iter
from monitor.fetch.wire import KINDS, FetchSettings, Request, Response, http_date, redact, retry_after

__all__ = [
    "KINDS",
    "FetchSettings",
    "Fetcher",
    "Guard",
    "Request",
    "Response",
    "Result",
    "answer_of",
    "check_url",
    "fetch",
    "fetch_all",
    "fetch_iter",
    "fresh_for",
    "http_date",
    "redact",
    "retry_after",
]
