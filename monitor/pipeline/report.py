"""What one run did: counts, failures by kind, seconds per stage, and the words for it. Knows nothing of how."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.errors import MonitorError
from monitor.models import Event


class RunFailed(MonitorError):
    """Nothing came of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One item that went wrong, and was set aside so that the others could go on."""

    stage: str  # poll, read, diff, deliver
    where: str  # URL of the feed or page, name of the channel
    kind: str  # one word, for counting
    detail: str = ""  # one line, for people; never a secret


@dataclass(slots=True, kw_only=True)
class RunReport:
    """Filled by the steps as they go, so it is the one record here that is not frozen."""

    started_at: datetime
    feeds: int = 0  # asked in this run
    feeds_not_modified: int = 0  # answered 304, or sent the very body we know
    feeds_baseline: int = 0  # polled for the first time: recorded, not alerted
    entries_new: int = 0
    entries_undated: int = 0
    articles: int = 0  # read for good
    articles_from_feed: int = 0  # of them read from what the feed carries, no page asked
    articles_gated: int = 0  # of them of no interest: no watched company beside a deal word
    articles_waiting: int = 0  # pages that could not be had; they are asked again later
    claims: int = 0
    near_misses: int = 0
    events: list[Event] = field(default_factory=list)  # versions made in this run
    sent: int = 0  # messages
    queued: int = 0  # messages that failed and go out again later
    problems: list[Problem] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)  # per stage

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Adds the wall time of its body to the stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def problem(self, stage: str, where: str, kind: str, detail: str = "") -> None:
        self.problems.append(Problem(stage=stage, where=where, kind=kind, detail=detail))

    def failures(self, stage: str) -> Counter[str]:
        """How often each kind of problem came up in a stage."""
        return Counter(p.kind for p in self.problems if p.stage == stage)

    @property
    def changes(self) -> list[Event]:
        """The versions that are news, without the baseline."""
        return [e for e in self.events if e.change and not e.baseline]

    def headline(self) -> str:
        """The run in a few words, such as `212 feeds, 9 new articles, 2 changes, 2 alerts`."""
        parts = [(self.feeds, "feed"), (self.articles, "new article"), (len(self.changes), "change"),
                 (self.sent, "alert")]  # fmt: skip
        words = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts)
        failed = len({p.where for p in self.problems if p.stage == "poll"})
        return f"{words}, {failed} feed{'' if failed == 1 else 's'} failing" if failed else words

    def raise_if_failed(self) -> None:
        """Single items may fail; a run in which nothing worked must not pass for a good one."""
        failing = {p.where for p in self.problems if p.stage == "poll"}
        if self.feeds and len(failing) >= self.feeds:
            kinds = ", ".join(f"{kind} {count} times" for kind, count in self.failures("poll").most_common())
            raise RunFailed(f"none of {self.feeds} feeds could be read: {kinds}; see `deal-monitor feeds`")
        if dead := [p for p in self.problems if p.stage == "deliver" and p.kind == "dead"]:
            raise RunFailed(f"{dead[0].where}: {dead[0].detail}; see `deal-monitor alerts --dead`")

    def markdown(self, words: str = "", page_url: str = "") -> str:
        """The run at length, for a page, under these words; deals linked to the monitor's own page."""
        lines = [f"**{words or self.headline()}**", ""]
        if page_url:
            lines += [f"[The page of the deal monitor](<{page_url}>)", ""]
        if self.changes:
            lines += ["| change | parties | deal | status | article |", "|---|---|---|---|---|"]
            for e in self.changes:
                link = f"[{_cell(e.title)}](<{_cell(e.url)}>)" if e.url else _cell(e.title)
                parties = _cell(" and ".join(e.parties))
                parties = f"[{parties}](<{page_url}/events/{e.event_id}>)" if page_url else parties
                lines.append(f"| {e.change} | {parties} | {e.deal_type.replace('_', ' ')} | {e.status} | {link} |")
            lines.append("")
        if self.problems:
            lines += ["| step | where | problem |", "|---|---|---|"]
            lines += [f"| {p.stage} | {_cell(p.where)} | {p.kind}: {_cell(p.detail)} |" for p in self.problems[:100]]
            lines.append("")
        lines += [f"- {stage}: {seconds:.1f} s" for stage, seconds in self.seconds.items()]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For programs: plain values, stable names."""
        plain = (
            "feeds", "feeds_not_modified", "feeds_baseline", "entries_new", "entries_undated", "articles",
            "articles_from_feed", "articles_gated", "articles_waiting", "claims", "near_misses", "sent", "queued",
        )  # fmt: skip
        return {
            "started_at": self.started_at.isoformat(),
            **{name: getattr(self, name) for name in plain},
            "changes": len(self.changes),
            "baseline_events": sum(1 for e in self.events if e.baseline and e.change),
            "problems": [
                {"stage": p.stage, "where": p.where, "kind": p.kind, "detail": p.detail} for p in self.problems
            ],
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
        }


def _cell(text: str) -> str:
    """Strangers' words in a Markdown table: nothing of them may end the cell, start a link or be HTML."""
    for sign in "\\|<>[]`*_":
        text = text.replace(sign, f"&#{ord(sign)};")
    return " ".join(text.split())
