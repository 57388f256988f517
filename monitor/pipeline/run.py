"""One run over one state: the configuration, the tables, the time, and the report that the steps fill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from monitor.claims import Reader
from monitor.companies import catalogue
from monitor.config import Config, FeedConfig
from monitor.errors import InputError
from monitor.lexicon import load_lexicon
from monitor.models import Alert, stable_key
from monitor.pipeline.engine import Cluster, Engine, Local
from monitor.pipeline.report import RunReport
from monitor.sandbox import Sandbox
from monitor.store import Store, open_store

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # stage, done, of how many
Console = Callable[[Alert], None]  # prints an alert for a `console://` channel


def quiet(stage: str, done: int, total: int) -> None:
    """The progress of a run that nobody watches."""


def to_stdout(alert: Alert) -> None:
    print(f"{alert.subject}\n\n{alert.body}\n", flush=True)


@dataclass(slots=True, kw_only=True)
class Watch:
    """Who looks on while runs go by: set it with `watching`, and find their reports here afterwards."""

    progress: Progress = quiet
    console: Console = to_stdout
    reports: list[RunReport] = field(default_factory=list)


_WATCH: ContextVar[Watch] = ContextVar("watch")


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Runs opened in the body report to `watch`: what a flow cannot be given as a parameter."""
    token = _WATCH.set(watch)
    try:
        yield watch
    finally:
        _WATCH.reset(token)


class Run:
    """What the steps share. `now` is the time of the run: the core never looks at a clock.

    A plain class on purpose: Prefect walks through the fields of dataclasses and models that tasks are given.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        *,
        now: datetime | None = None,
        everything: bool = False,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        watch = _WATCH.get(None) or Watch()
        self.config, self.store = config, store
        self.progress, self.console = watch.progress, watch.console
        self.now = now or datetime.now(UTC)
        self.everything = everything  # ask feeds that are not due as well
        self.shard = shard  # (which, of how many): hosts are dealt out, so that politeness holds
        self.report = RunReport(started_at=self.now)
        watch.reports.append(self.report)

    @cached_property
    def reader(self) -> Reader:
        """Built once a run: loading rules and building the matcher is what costs."""
        return Reader(load_lexicon(self.config.detection.rules), self.config.watchlist, catalogue())

    @cached_property
    def sandbox(self) -> Sandbox:
        """The killable workers of this run; a shared set, as each costs a third of a second to start."""
        return Sandbox(workers=self.config.run.workers)

    @cached_property
    def engine(self) -> Engine:
        """Where extraction and reading are done, as the configuration says."""
        return Cluster(self.config) if self.config.run.engine == "dask" else Local(self.reader, self.sandbox)

    def close(self) -> None:
        """End the workers, if any were needed."""
        for name in ("engine", "sandbox"):
            if name in self.__dict__:
                getattr(self, name).close()

    @cached_property
    def feeds(self) -> dict[int, FeedConfig]:
        """The subscriptions of this run's share, by key. Feeds of one host are always in one share."""
        which, of = self.shard
        return {
            stable_key(f.url): f
            for f in self.config.feeds
            if f.enabled and (of <= 1 or stable_key(urlsplit(f.url).hostname or "") % of == which)
        }


@contextmanager
def open_run(
    config: Config,
    *,
    now: datetime | None = None,
    everything: bool = False,
    shard: tuple[int, int] = (0, 1),
    lock: bool = True,
) -> Iterator[Run]:
    """A run on the tables that the configuration names. Raises LockHeld while another one works on them.

    The tables need no lock, it only spares double work: runs of different shards go without, and so may others.
    """
    if not 0 <= shard[0] < shard[1]:
        what = f"there is no share {shard[0]} of {shard[1]}"
        raise InputError("poll", "shard", what, f"shares count from 0 to {shard[1] - 1}")
    store = open_store(config.state)
    with store.lock() if lock and shard[1] <= 1 else nullcontext():
        run = Run(config, store, now=now, everything=everything, shard=shard)
        try:
            yield run
        finally:
            run.close()
        _write_metrics(run)


def _write_metrics(run: Run) -> None:
    if run.config.metrics:
        from monitor.pipeline import health, metrics

        figures = metrics.exposition(health.look(run.config, run.store, run.now), run.report)
        try:
            metrics.write(Path(run.config.metrics), figures)
        except OSError as error:
            run.report.problem("metrics", run.config.metrics, "not_written", error.strerror or str(error))


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`, in order."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
