"""The digest as a Prefect flow: once a morning, to the channels that take one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.record import record_run
from flows.telling import tell_operator
from monitor.config import load_config
from monitor.pipeline import digest as send_digest
from monitor.pipeline import open_run

SEND = task(name="digest", cache_policy=NO_CACHE)(send_digest)


@flow(
    name="digest", flow_run_name="digest", timeout_seconds=1800, on_failure=[tell_operator], on_crashed=[tell_operator]
)
def digest(config: Path | None = None, days: Annotated[float, Field(gt=0, le=366)] = 1.0) -> str:
    """Send each digest channel what it was not told yet: new deals, what moved, what grows old, what was not covered.

    Args:
        config: monitor.toml or its folder; else what DEAL_MONITOR_CONFIG names, else the working folder.
        days: How far back the digest tells; 3 on a Monday takes in the weekend.
    """
    with open_run(load_config(config), lock=False) as run:
        SEND(run, days)
        words = f"{run.report.sent} sent"
        record_run("digest", words, run)
        run.report.raise_if_failed()
        return words
