"""The command ``opai job start``."""

from __future__ import annotations

from openpai.cli.framework import CliApp, cluster_option, command, job_argument, pass_app

__all__ = [
    "start",
]


@command("start", examples="opai job start train")
@job_argument
@cluster_option
@pass_app
def start(app: CliApp, job: str, alias: str | None) -> None:
    """Take back a stop that has not taken effect yet.

    A job that has ended does not begin anew: PAI has no such thing. Clone it instead.
    """
    from openpai.core.errors import ConflictError
    from openpai.core.rest import set_execution_type

    remote = app.cluster(alias).job(job)
    detail = remote.status()
    if detail.ended:
        raise ConflictError(
            f"{remote.key} has ended: {detail.state}.",
            status=409,
            hint=f"Submit it once more: opai job clone {remote.key}",
        )
    set_execution_type(remote.session, remote.key, "START")
    app.note(f"{remote.key} is to go on.")
