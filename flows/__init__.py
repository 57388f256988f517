"""Prefect flows: thin shells around the steps of `monitor.pipeline`."""
