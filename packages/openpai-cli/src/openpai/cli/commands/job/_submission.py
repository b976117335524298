"""Read, change, submit and follow a job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpai.cli.commands.job._submission_options import SubmitOptions
from openpai.cli.framework import CliApp

if TYPE_CHECKING:
    from openpai.core.client import Extras, RemoteJob
    from openpai.core.protocol import Job, JobSpec

__all__ = ["change", "read_job", "submit_and_report"]

COLUMNS = [("JOB", "job")]


def read_job(path: Path) -> Job:
    """Read a job file; ``-`` is stdin.

    Raises:
        ProtocolError: The file is not a job.
        OSError: The file cannot be read.
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
    """Apply options to a job; a layered default only fills in a missing virtual cluster."""
    from openpai.core.protocol import expand_name, parse_update

    for update in updates:
        job.set(*parse_update(update))
    if name:
        job = job.renamed(expand_name(name))
    has_own = (job.document.get("defaults") or {}).get("virtualCluster")
    virtual_cluster = virtual_cluster or (None if has_own else app.default("virtual-cluster"))
    if virtual_cluster:
        job.set("/defaults/virtualCluster", virtual_cluster)
    return job


def submit_and_report(app: CliApp, job: Job, spec: JobSpec, options: SubmitOptions) -> int:
    """Submit a job, or only show it, and wait or follow as the options say.

    Args:
        app: The running ``opai``.
        job: The job.
        spec: Its code, outputs, packages and tags.
        options: What to do.

    Returns:
        The exit code: 0, or the job's own if it was waited for or followed.
    """
    from openpai.core.client import Extras, needs_preparation, prepare_job

    extras = Extras.from_spec(spec)
    if options.write:
        _write(app, job, extras, options.write)
    if options.dry_run:
        if needs_preparation(job, extras):
            job = prepare_job(job, app.cluster(options.alias), extras, send=False)
        job.validate(strict=options.strict)
        _preview(app, job, options.format_)
        return 0
    cluster = app.cluster(options.alias)
    remote = cluster.submit(
        job,
        extras=extras,
        strict=options.strict,
        check_name=not options.random_name,
        report=app.note,
    )
    _note_submission(app, remote)
    for tag in spec.tags:
        remote.add_tag(tag)
    return _report(app, remote, options)


def _write(app: CliApp, job: Job, extras: Extras, path: Path) -> None:
    """Write the job without what its preparation adds."""
    path.write_text(job.to_yaml(), encoding="utf-8")
    app.note(f"Wrote {path}.")
    again = [f"--src {source}" for source in extras.sources]
    if again:
        app.note(
            f"It does not contain the code. Submit with: opai job submit {path} {' '.join(again)}"
        )


def _preview(app: CliApp, job: Job, format_: str) -> None:
    """Print the job that would be submitted; secrets are masked as the server masks them."""
    from openpai.core.protocol import Job, mask_secrets

    text = mask_secrets(job.to_yaml())
    if format_ == "json":
        app.emit(Job.from_yaml(text).to_dict(), columns=[], format="json")
    else:
        app.console.print(text.rstrip("\n"))


def _note_submission(app: CliApp, job: RemoteJob) -> None:
    cluster = job.cluster
    app.note(f"Submitted {job.key} to {cluster.alias or cluster.uri}.")
    if _ignores_images(cluster.uri):
        app.note("The local cluster runs commands on this machine itself; the image is not used.")


def _report(app: CliApp, job: RemoteJob, options: SubmitOptions) -> int:
    """Print the job's name, after its end if that is wanted; return the exit code."""
    from openpai.cli.commands.job._logs import follow_to_end
    from openpai.cli.framework import end_sentence, exit_code_of, following_job, next_commands

    if options.follow:
        return follow_to_end(app, job)
    format_ = "name" if options.format_ == "table" else options.format_
    row: dict[str, Any] = {"job": job.key, "name": job.name, "username": job.user}
    if not options.wait:
        app.emit(row, columns=COLUMNS, format=format_)
        for line in next_commands(app.console, job):
            app.note(line)
        return 0
    with following_job(app.console, job):
        detail = job.wait(timeout=options.timeout)
    app.note(end_sentence(detail))
    row.update(state=detail.state, exitCode=exit_code_of(detail))
    app.emit(row, columns=COLUMNS, format=format_)
    return exit_code_of(detail)


def _ignores_images(uri: str) -> bool:
    """Whether this is the local cluster, running without a container engine."""
    if not uri.startswith("http://127.0.0.1:"):
        return False
    from openpai.core.local import status

    running = status()
    return running is not None and running.uri == uri and running.engine == "process"
