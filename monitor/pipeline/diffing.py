"""Step three: fold the claims that came in since into the deals as known so far.

Each commit of events carries the position of the last claim that it took in, in the same file: a crash leaves either
both or neither. Whoever loses the race to another poller folds again on what that one wrote: a deal is new only once.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.events import fold, wanted_keys
from monitor.models import Event
from monitor.pipeline.run import Run
from monitor.pipeline.settings import fold_settings
from monitor.store import Decision, View

BATCH = 2000  # claims per commit
START = -1  # position before the first row


@dataclass(slots=True)
class _Fold:
    """One commit's decision; asked again after a lost race."""

    run: Run
    claims: int = 0  # that the last decision took in

    def __call__(self, view: View) -> Decision:
        position = START if view.cursor is None else view.cursor
        claims, reached = self.run.store.after("claims", position, BATCH)
        self.claims = len(claims)
        known = view.find(wanted_keys(claims))
        return Decision(fold(known, claims, self.run.now, fold_settings(self.run.config)), reached)


def diff(run: Run) -> None:
    """Fold every claim that no event has taken in yet."""
    with run.report.timed("diff"):
        done = 0
        while True:
            decide = _Fold(run)
            made: tuple[Event, ...] = run.store.commit("events", decide)
            run.report.events += made
            done += decide.claims
            run.progress("diff", done, done)
            if decide.claims < BATCH:
                return
