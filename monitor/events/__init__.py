"""Deals as known so far: which claims are about one deal, what each claim changed, and what time changes.

Pure: claims in, versions out. The rules are data (`rules/changes.toml`); nothing here reads a clock or a table.
"""

from monitor.events.amend import expire, merge, split
from monitor.events.book import Book
from monitor.events.fold import FoldSettings, claim_time, fold, fold_into, wanted_keys
from monitor.events.names import lookup_keys, source_key
from monitor.events.origins import origin_of
from monitor.events.rules import ChangeRules, default_rules, load_rules
from monitor.events.values import Amount, amount

__all__ = [
    "Amount",
    "Book",
    "ChangeRules",
    "FoldSettings",
    "amount",
    "claim_time",
    "default_rules",
    "expire",
    "fold",
    "fold_into",
    "load_rules",
    "lookup_keys",
    "merge",
    "origin_of",
    "source_key",
    "split",
    "wanted_keys",
]
