"""From a job's description to the cluster, and as far as the user wants to see it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpai.cli.commands.job._submission_options import SubmitOptions, job_name
from openpai.cli.framework import CliApp

if TYPE_CHECKING:
    from openpai.core.client import Extras, RemoteJob
    from openpai.core.protocol import Job

__all__ = ["change", "read_job", "submit_and_report"]

COLUMNS = [("JOB", "job")]


def read_job(path: Path) -> Job:
    """Read a job file; ``-`` is stdin.

    Raises:
        ProtocolError: It holds no job.
        OSError: It cannot be read.
    """
    from openpai.core.protocol import Job

    if str(path) == "-":
        return Job.from_yaml(sys.stdin.read(), file="<stdin>")
    return Job.from_file(path)


def change(
    app: CliApp,
    job: Job,
    *,
    updates: tuple[str, ...],
    name: str | None,
    virtual_cluster: str | None,
) -> Job:
    """Apply what the command line says; it is stronger than the job, a default is not."""
    from openpai.core.protocol import parse_update

    for update in updates:
        job.set(*parse_update(update))
    if name:
        job = job.renamed(job_name(name) or name)
    has_own = (job.document.get("defaults") or {}).get("virtualCluster")
    virtual_cluster = virtual_cluster or (None if has_own else app.default("virtual-cluster"))
    if virtual_cluster:
        job.set("/defaults/virtualCluster", virtual_cluster)
    return job


def submit_and_report(app: CliApp, job: Job, extras: Extras, wishes: SubmitOptions) -> int:
    """Take a job from its description to the cluster, and as far as the user wants to see it.

    Returns:
        The exit code: 0, or the job's own where it was waited for or followed.
    """
    from openpai.core.client import needs_preparation, prepare_job

    if wishes.write:
        _write(app, job, extras, wishes.write)
    if wishes.dry_run:
        if needs_preparation(job, extras):
            job = prepare_job(job, app.cluster(wishes.alias), extras, send=False)
        job.validate(strict=wishes.strict)
        _preview(app, job, wishes.format_)
        return 0
    cluster = app.cluster(wishes.alias)
    ready = prepare_job(job, cluster, extras, strict=wishes.strict, tell=app.note)
    remote = cluster.submit(ready, strict=wishes.strict, check_name=not wishes.random_name)
    return _report(app, remote, wishes)


def _write(app: CliApp, job: Job, extras: Extras, path: Path) -> None:
    """Write the job as its author would, without what preparation adds to it."""
    path.write_text(job.to_yaml(), encoding="utf-8")
    app.note(f"Wrote {path}.")
    again = [f"--src {source}" for source in extras.sources]
    if again:
        app.note(
            f"It does not contain the code. Submit with: opai job submit {path} {' '.join(again)}"
        )


def _preview(app: CliApp, job: Job, format_: str) -> None:
    """Write what would be sent; secrets are masked as the server masks them."""
    from openpai.core.protocol import Job, mask_secrets

    text = mask_secrets(job.to_yaml())
    if format_ == "json":
        app.emit(Job.from_yaml(text).to_dict(), columns=[], format="json")
    else:
        app.console.print(text.rstrip("\n"))


def _report(app: CliApp, job: RemoteJob, wishes: SubmitOptions) -> int:
    """Say where the job went, and see it through if that is wanted."""
    from openpai.cli.commands.job._logs import follow_to_end
    from openpai.cli.framework import end_sentence, exit_code_of, following_job, next_commands

    cluster = job.cluster
    app.note(f"Submitted {job.key} to {cluster.alias or cluster.uri}.")
    if _ignores_images(cluster.uri):
        app.note("The local cluster runs commands on this machine itself; the image is not used.")
    for tag in wishes.tags:
        job.add_tag(tag)
    if wishes.follow:
        return follow_to_end(app, job)
    row: dict[str, Any] = {"job": job.key, "name": job.name, "username": job.user}
    if not wishes.wait:
        app.emit(row, columns=COLUMNS, format=_plain(wishes.format_))
        for line in next_commands(app.console, job):
            app.note(line)
        return 0
    with following_job(app.console, job):
        detail = job.wait(timeout=wishes.timeout)
    app.note(end_sentence(detail))
    row.update(state=detail.state, exitCode=exit_code_of(detail))
    app.emit(row, columns=COLUMNS, format=_plain(wishes.format_))
    return exit_code_of(detail)


def _plain(format_: str) -> str:
    """A table of one name is just the name."""
    return "name" if format_ == "table" else format_


def _ignores_images(uri: str) -> bool:
    """Whether this is the cluster that ``opai local up`` started, without a container engine."""
    if not uri.startswith("http://127.0.0.1:"):
        return False
    from openpai.core.local import status

    running = status()
    return running is not None and running.uri == uri and running.engine == "process"
