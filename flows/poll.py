"""The poll as a Prefect flow: the same whether it was scheduled or asked for. The steps are `monitor.pipeline`'s.

Each step asks the tables what is not done yet, so it may be run again; those that send have pauses of their own.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.record import Progress, record_changes, record_run
from flows.telling import tell_operator
from monitor.config import load_config
from monitor.pipeline import SENDS, STEPS, open_run

TASKS = [
    task(name=step.__name__, cache_policy=NO_CACHE, retries=int(step not in SENDS), retry_delay_seconds=5)(step)
    for step in STEPS
]


# one that hangs would hold the only slot, and every later poll would be cancelled in silence
@flow(
    name="poll", flow_run_name="poll", timeout_seconds=3600, on_failure=[tell_operator], on_crashed=[tell_operator]
)  # fmt: skip
def poll(
    config: Path | None = None,
    everything: bool = False,
    shard: Annotated[int, Field(ge=0)] = 0,
    shards: Annotated[int, Field(ge=1, le=1000)] = 1,
    now: datetime | None = None,
) -> str:
    """Poll the feeds, read what is new, tell what changed.

    Args:
        config: monitor.toml or its folder; else what DEAL_MONITOR_CONFIG names, else the working folder.
        everything: Ask all feeds, also those that are not due yet.
        shard: Which share of the feeds this run takes, from 0. Feeds are dealt out by host.
        shards: How many shares there are; each wants a schedule of its own.
        now: Take this for the time of the run (a demonstration, a test).
    """
    with open_run(load_config(config), now=now, everything=everything, shard=(shard, shards)) as run:
        Progress(run)
        for step in TASKS:
            step(run)
        record_changes(run.report)
        record_run("poll", run.report.headline(), run)
        run.report.raise_if_failed()
        return run.report.headline()
