"""``opai sweep list|status|wait|stop|resume|rerun``: many jobs as one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, format_option
from openpai.core.states import STATES

if TYPE_CHECKING:
    from openpai.core.sweeps import SweepJob

LIST_COLUMNS = [
    ("SWEEP", "sweep"),
    ("JOBS", "jobs"),
    ("NOT SENT", "notSent"),
    ("WAITING", "waiting"),
    ("RUNNING", "running"),
    ("SUCCEEDED", "succeeded"),
    ("FAILED", "failed"),
    ("STOPPED", "stopped"),
]


@command(
    "list",
    help="""
    Lists the sweeps submitted from this machine, and those whose jobs the cluster still has.
    """,
    examples="opai sweep list\nopai sweep list -o json",
)
@cluster_option
@format_option
@pass_app
def list_sweeps(app: CliApp, alias: str | None, format_: str) -> None:
    from openpai.core.sweeps import all_sweeps

    rows = [_sweep_row(name, jobs) for name, jobs in all_sweeps(app.cluster(alias)).items()]
    app.emit(rows, columns=LIST_COLUMNS, format=format_)
    if not rows and format_ == "table":
        app.note("No sweeps.")


def _sweep_row(name: str, jobs: list[SweepJob]) -> dict[str, Any]:
    states = [job.state for job in jobs]
    counts = {state.lower(): states.count(state) for state in STATES}
    return {"sweep": name, "jobs": len(jobs), "notSent": states.count(None), **counts}
