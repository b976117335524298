"""``opai job run``: a job on this machine, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from openpai.cli.commands.job._submission import change, read_job
from openpai.cli.commands.job._submission_options import JOB_FILE, no_strict_option, update_option
from openpai.cli.framework import CliApp, command, pass_app


@command(
    "run",
    help="""
    All tasks run at once, in the current folder, as your processes, with the environment,
    ports, retries and completion policy of a cluster; images are not used. Code and outputs are
    in this folder, so the code, outputs, requirements, mounts and callbacks of an
    openpai.runtime section are ignored.

    The exit code is the job's own. Ctrl-C stops the job.
    """,
    examples="""
    opai job run job.yaml
    opai job run job.yaml --update parameters:epochs=1
    """,
)
@click.argument("file", type=JOB_FILE)
@update_option
@no_strict_option
@click.pass_context
@pass_app
def run(
    app: CliApp,
    context: click.Context,
    /,
    *,
    file: Path,
    updates: tuple[str, ...],
    no_strict: bool,
) -> None:
    from openpai.cli.commands.job._logs import write_lines
    from openpai.cli.framework import end_sentence, exit_code_of
    from openpai.core.local import run_in_folder

    job = change(app, read_job(file), updates=updates, name=None, virtual_cluster=None)
    with run_in_folder(job, Path.cwd(), strict=not no_strict) as remote:
        write_lines(app, remote, remote.log_lines(follow=True))
        detail = remote.wait()
    app.note(end_sentence(detail))
    context.exit(exit_code_of(detail))
