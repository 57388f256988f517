"""A run that failed is told to the channel that `operator` names: once, and then once a day while it goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.sorting import FlowRunSort
from prefect.logging import get_run_logger

from monitor.config import Config, load_config, load_operator
from monitor.errors import ConfigError, DeliveryError, LockHeld
from monitor.pipeline import send_notice


def tell_operator(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """A hook. Prefect passes the arguments by name."""
    config = _config((flow_run.parameters or {}).get("config"))
    channel = next((c for c in config.channels if c.name == config.operator), None)
    failure = state.result(raise_on_failure=False) if state.is_failed() else None
    if channel is None or isinstance(failure, LockHeld) or _is_old_news(flow_run, state):
        return  # another run at work is no reason to get up
    lines = (f"{flow.name}: {state.name}", str(state.message or ""), "deal-monitor status says how things are.")
    try:
        send_notice(channel, config, f"The run {flow_run.name} of the deal monitor failed", lines)
    except DeliveryError as error:
        get_run_logger().error("the operator could not be told: %s", error)


def _config(given: object) -> Config:
    """The configuration; where that is what is wrong, as much of it as leads to the operator."""
    path = Path(str(given)) if given else None
    try:
        return load_config(path)
    except ConfigError:
        return load_operator(path)


def _is_old_news(flow_run: FlowRun, state: State[Any]) -> bool:
    """Whether the run before this one failed in the same way on the same day."""
    if flow_run.deployment_id is None:
        return False
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            deployment_filter=DeploymentFilter(id={"any_": [flow_run.deployment_id]}),  # type: ignore[arg-type]
            flow_run_filter=FlowRunFilter(id={"not_any_": [flow_run.id]}, state={"type": {"any_": FINISHED}}),  # type: ignore[arg-type]
            sort=FlowRunSort.END_TIME_DESC,
            limit=1,
        )
    before = runs[0] if runs else None
    if before is None or before.state is None or before.end_time is None:
        return False
    same = before.state.name == state.name and _kind(before.state) == _kind(state)
    return same and before.end_time.date() == datetime.now(UTC).date()


FINISHED = ["COMPLETED", "FAILED", "CRASHED"]


def _kind(state: State[Any]) -> str:
    """Its message without the figures in it."""
    return re.sub(r"\d+", "", state.message or "")
