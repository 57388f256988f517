"""Feeds: bytes to clean entries with a stable identity. RSS 0.9x to 2.0, RDF, Atom, JSON Feed, news sitemaps; OPML.

Knows formats and identity; knows no network, tables or schedule. `parse_many` runs `parse_feed` in the sandbox.
"""

from monitor.feeds.discover import FoundFeed, discover, guesses
from monitor.feeds.identity import canonical_url, keys_of, link_key, to_entries
from monitor.feeds.opml import Outline, read_opml, write_opml
from monitor.feeds.parse import parse_feed, parse_many
from monitor.feeds.records import ParsedEntry, ParsedFeed

__all__ = [
    "FoundFeed",
    "Outline",
    "ParsedEntry",
    "ParsedFeed",
    "canonical_url",
    "discover",
    "guesses",
    "keys_of",
    "link_key",
    "parse_feed",
    "parse_many",
    "read_opml",
    "to_entries",
    "write_opml",
]
