"""The command ``opai job start``."""

from __future__ import annotations

from openpai.cli.framework import CliApp, command, pass_app
from openpai.core.cli import cluster_option, job_argument

__all__ = [
    "start",
]


@command(
    "start",
    help="A job that has ended cannot be started again; clone it instead.",
    examples="opai job start train",
)
@job_argument
@cluster_option
@pass_app
def start(app: CliApp, job: str, alias: str | None) -> None:
    from openpai.core.errors import ConflictError
    from openpai.core.rest import set_execution_type

    remote = app.cluster(alias).job(job)
    detail = remote.status()
    if detail.ended:
        raise ConflictError(
            f"{remote.key} has ended: {detail.state}.",
            status=409,
            hint=f"Submit it again: opai job clone {remote.key}",
        )
    set_execution_type(remote.session, remote.key, "START")
    app.note(f"The stop of {remote.key} was cancelled.")
