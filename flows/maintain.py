"""The nightly upkeep as a Prefect flow: rumours expire, old rows go, tables are compacted, health is looked at."""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.record import record_changes, record_run
from flows.telling import tell_operator
from monitor.config import load_config
from monitor.pipeline import maintain as tidy_up
from monitor.pipeline import open_run
from monitor.pipeline.health import look

TIDY_UP = task(name="maintain", cache_policy=NO_CACHE)(tidy_up)


@flow(
    name="maintain", flow_run_name="maintain", timeout_seconds=4 * 3600,
    on_failure=[tell_operator], on_crashed=[tell_operator],
)  # fmt: skip
def maintain(config: Path | None = None) -> str:
    """Let unconfirmed rumours expire, drop rows past their time, compact the tables, look at the health of it all.

    Args:
        config: monitor.toml or its folder; else what DEAL_MONITOR_CONFIG names, else the working folder.
    """
    with open_run(load_config(config), lock=False) as run:
        words = TIDY_UP(run).headline()
        record_changes(run.report)
        health = look(run.config, run.store, run.now)
        record_run("maintain", words, run, health.text())
        return words
