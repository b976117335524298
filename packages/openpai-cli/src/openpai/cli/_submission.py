"""What ``job sub`` and ``job submit`` share: options, the steps of a submission, its report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli._app import CliApp
from openpai.cli._command import UsageProblem
from openpai.cli._options import cluster_option, format_option, timeout_option

if TYPE_CHECKING:
    from openpai.core.prepare import Extras
    from openpai.core.protocol.job import Job
    from openpai.core.remote_job import RemoteJob

COLUMNS = [("JOB", "job")]

__all__ = [
    "JOB_FILE",
    "Wishes",
    "change",
    "extras_options",
    "job_name",
    "read_job",
    "submission_options",
    "submit_and_report",
    "take_extras",
    "take_wishes",
    "update_option",
]

F = TypeVar("F", bound=Callable[..., Any])

JOB_FILE = click.Path(exists=True, path_type=Path, dir_okay=False, allow_dash=True)
LOCAL_FILE = click.Path(path_type=Path, dir_okay=False)
LOCAL_PATH = click.Path(path_type=Path)

_EXTRAS_OPTIONS = (
    click.option("-w", "--workspace", metavar="[NAME:]/PATH", help="Where code and outputs lie."),
    click.option("--src", "--sources", "sources", multiple=True, type=LOCAL_PATH, help="Its code."),
    click.option("--output", "outputs", multiple=True, metavar="GLOB", help="Files to save."),
    click.option("--pip", "--pip-installs", "requirements", multiple=True, help="A package."),
)
_OPTIONS = (
    click.option("-j", "--name", "--job-name", "name", help="The job's name; $ is made random."),
    click.option("--vc", "--virtual-cluster", "virtual_cluster", help="The virtual cluster."),
    *_EXTRAS_OPTIONS,
    click.option("--tag", "tags", multiple=True, help="Tag the job."),
    click.option("--dry-run", "--preview", "dry_run", is_flag=True, help="Show it, send nothing."),
    click.option("--write", type=LOCAL_FILE, help="Also write the job to this file."),
    click.option("--wait", is_flag=True, help="Wait for its end; exit with its exit code."),
    click.option("-f", "--follow", is_flag=True, help="Print its log; exit with its exit code."),
    timeout_option,
    cluster_option,
    format_option,
)


UPDATE_HELP = "Change a value of the job; KEY is a path such as a:b or a.b[0]."
update_option = click.option(
    "-u", "--update", "updates", multiple=True, metavar="KEY=VALUE", help=UPDATE_HELP
)


def submission_options(function: F) -> F:
    """The options of every command that submits a job."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def extras_options(function: F) -> F:
    """The options of what a submission adds to a job: code, outputs, packages."""
    for option in reversed(_EXTRAS_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class Wishes:
    """What the user wants done with a job beyond its description; names as the options'."""

    alias: str | None
    format_: str
    dry_run: bool
    write: Path | None
    wait: bool
    follow: bool
    timeout: float | None
    tags: tuple[str, ...]
    strict: bool = True

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageProblem: ``--follow`` with a machine format, or ``--timeout`` without waiting.
        """
        if self.follow and self.format_ != "table":
            raise UsageProblem(
                f"--follow writes the log to stdout, so it cannot write {self.format_} there.",
                "Use --wait instead of --follow.",
            )
        if self.timeout is not None and not self.wait:
            raise UsageProblem("--timeout limits --wait, which is not given.", "Add --wait.")


def take_wishes(options: dict[str, Any], **more: Any) -> Wishes:
    """Take the options that :class:`Wishes` names out of all that a command got."""
    names = [field.name for field in fields(Wishes) if field.name in options]
    wishes = Wishes(**{name: options.pop(name) for name in names}, **more)
    wishes.check()
    return wishes


def take_extras(app: CliApp, options: dict[str, Any], *, with_defaults: bool = True) -> Extras:
    """Take what a submission adds to a job out of all options; layered defaults fill the gaps."""
    from openpai.core.prepare import Extras

    def default(key: str) -> Any:
        return app.default(key) if with_defaults else None

    return Extras(
        sources=options.pop("sources") or [Path(path) for path in default("sources") or ()],
        outputs=options.pop("outputs"),
        requirements=options.pop("requirements") or default("pip-installs") or (),
        workspace=options.pop("workspace") or default("workspace"),
    )


def job_name(wanted: str | None) -> str | None:
    """Return the name that was asked for, each ``$`` in it replaced by ten random letters."""
    from openpai.core.command_job import random_letters

    return wanted and "".join(random_letters(10) if c == "$" else c for c in wanted)


def read_job(path: Path) -> Job:
    """Read a job file; ``-`` is stdin.

    Raises:
        ProtocolError: It holds no job.
        OSError: It cannot be read.
    """
    from openpai.core.protocol.job import Job

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
    for update in updates:
        key, equals, value = update.partition("=")
        if not equals:
            raise UsageProblem(f"'{update}' changes nothing.", "Write --update KEY=VALUE.")
        job.set(key, _value(value))
    if name:
        job = job.renamed(job_name(name) or name)
    has_own = (job.document.get("defaults") or {}).get("virtualCluster")
    virtual_cluster = virtual_cluster or (None if has_own else app.default("virtual-cluster"))
    if virtual_cluster:
        job.set("/defaults/virtualCluster", virtual_cluster)
    return job


def _value(text: str) -> Any:
    """Read the value as the file would: ``3`` is a number, ``[a, b]`` a list, ``x`` a text."""
    from openpai.core.protocol.yaml_io import load_yaml

    return load_yaml(text) if text else ""


def submit_and_report(app: CliApp, job: Job, extras: Extras, wishes: Wishes) -> int:
    """Take a job from its description to the cluster, and as far as the user wants to see it.

    Returns:
        The exit code: 0, or the job's own where it was waited for or followed.
    """
    from openpai.core.prepare import needs_preparation, prepare

    if wishes.write:
        _write(app, job, extras, wishes.write)
    if wishes.dry_run:
        if needs_preparation(job, extras):
            job = prepare(job, app.cluster(wishes.alias), extras, send=False)
        job.validate(strict=wishes.strict)
        _preview(app, job, wishes.format_)
        return 0
    cluster = app.cluster(wishes.alias)
    ready = prepare(job, cluster, extras, strict=wishes.strict)
    remote = cluster.submit(ready, strict=wishes.strict)
    return _report(app, remote, wishes)


def _write(app: CliApp, job: Job, extras: Extras, path: Path) -> None:
    """Write the job as its author would, without what preparation adds to it."""
    path.write_text(job.to_yaml(), encoding="utf-8")
    app.note(f"Wrote {path}.")
    again = [f"--src {source}" for source in extras.sources]
    if again:
        app.note(f"Its code is not in it: opai job submit {path} {' '.join(again)}")


def _preview(app: CliApp, job: Job, format_: str) -> None:
    """Write what would be sent; secrets are masked as the server masks them."""
    from openpai.core.protocol.job import Job
    from openpai.core.protocol.secrets import mask_secrets

    text = mask_secrets(job.to_yaml())
    if format_ == "json":
        app.emit(Job.from_yaml(text).to_dict(), columns=[], format="json")
    else:
        app.console.data(text.rstrip("\n"))


def _report(app: CliApp, job: RemoteJob, wishes: Wishes) -> int:
    """Say where the job went, and see it through if that is wanted."""
    from openpai.cli._follow import follow_to_end
    from openpai.cli._jobs import exit_code_of, how_it_ended, in_sight, ways_back

    cluster = job.cluster
    app.note(f"Submitted {job.key} to {cluster.alias or cluster.uri}.")
    if _is_local(cluster.uri):
        app.note("The local cluster runs commands on this machine itself; the image is not used.")
    for tag in wishes.tags:
        job.add_tag(tag)
    if wishes.follow:
        return follow_to_end(app, job)
    row: dict[str, Any] = {"job": job.key, "name": job.name, "username": job.user}
    if not wishes.wait:
        app.emit(row, columns=COLUMNS, format=_plain(wishes.format_))
        for line in ways_back(app, job):
            app.note(line)
        return 0
    with in_sight(app, job):
        detail = job.wait(timeout=wishes.timeout)
    app.note(how_it_ended(detail))
    row.update(state=detail.state, exitCode=exit_code_of(detail))
    app.emit(row, columns=COLUMNS, format=_plain(wishes.format_))
    return exit_code_of(detail)


def _plain(format_: str) -> str:
    """A table of one name is just the name."""
    return "name" if format_ == "table" else format_


def _is_local(uri: str) -> bool:
    """Whether this is the cluster that ``opai local up`` started on this machine."""
    if not uri.startswith("http://127.0.0.1:"):
        return False
    from openpai.core.local.daemon import status

    running = status()
    return running is not None and running.uri == uri
