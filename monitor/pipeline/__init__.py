"""The steps `poll`, `read`, `diff`, `deliver`: plain functions that share a `Run`. Each asks the tables what is to do.

The only place that catches the errors of single items; each becomes a row and a line of the run's report.
"""

from monitor.pipeline.delivering import deliver, send_notice
from monitor.pipeline.diffing import diff
from monitor.pipeline.digesting import digest, digest_again
from monitor.pipeline.polling import poll
from monitor.pipeline.reading import read
from monitor.pipeline.report import Problem, RunFailed, RunReport
from monitor.pipeline.run import Run, Watch, open_run, watching
from monitor.pipeline.upkeep import Upkeep, maintain

STEPS = (poll, read, diff, deliver, digest_again)
SENDS = (deliver, digest_again)  # have a pause of their own between two tries: nobody else may repeat them

__all__ = [
    "SENDS",
    "STEPS",
    "Problem",
    "Run",
    "RunFailed",
    "RunReport",
    "Upkeep",
    "Watch",
    "deliver",
    "diff",
    "digest",
    "digest_again",
    "maintain",
    "open_run",
    "poll",
    "read",
    "send_notice",
    "watching",
]
