"""Make a job ready for its cluster: send its code, fill in its runtime section.

A job that saves outputs, brings code or wants packages has them in ``extras["openpai.runtime"]``
(see :mod:`openpai.core.protocol.runtime_section`). The user's workspace, which only the
cluster knows, and the code are filled in here; so is the bootstrap that starts the commands under
openpai-runtime.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence

from openpai.core.code import pack_sources, report_sizes, source_limit, upload_code
from openpai.core.protocol import (
    SECTION_KEY,
    Code,
    Job,
    Output,
    RuntimeSection,
    add_bootstrap,
    can_validate,
    raw_section,
)
from openpai.core.rest import list_storages
from openpai.core.storage import StorageUri, Workspace

if TYPE_CHECKING:
    from openpai.core.client.cluster import Cluster
    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.code import Archive
    from openpai.core.protocol import JobSpec

__all__ = ["Extras", "copy_of", "needs_preparation", "prepare_job", "prepare_once", "prepare_text"]


@dataclass(frozen=True)
class Extras:
    """Additions of a submission to a job's runtime section.

    Attributes:
        sources: Files and folders of this machine that the job gets as its code.
        outputs: Paths or globs to save, relative to the task's working directory.
        requirements: Python packages, as pip reads them.
        workspace: ``NAME:/PATH``, or ``/PATH`` on the default storage; wins over the section's.
        files: More code, from anywhere: the name that a file gets in the job → the file.
    """

    sources: Sequence[Path] = ()
    outputs: Sequence[str] = ()
    requirements: Sequence[str] = ()
    workspace: str | None = None
    files: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def from_spec(cls, spec: JobSpec, **more: Any) -> Extras:
        """Return the extras of a job spec.

        Args:
            spec: The spec.
            more: Attributes that replace the spec's.
        """
        names = ("sources", "outputs", "requirements", "workspace")
        return cls(**{**{name: getattr(spec, name) for name in names}, **more})

    def __bool__(self) -> bool:
        return bool(self.has_code or self.outputs or self.requirements or self.workspace)

    @property
    def has_code(self) -> bool:
        """Whether anything of this machine goes with the job."""
        return bool(self.sources or self.files)


NO_EXTRAS = Extras()


def needs_preparation(job: Job, extras: Extras) -> bool:
    """Whether the job runs under openpai-runtime; one that does not is sent as it is."""
    return bool(extras.has_code or extras.outputs or extras.requirements) or (
        raw_section(job.document) is not None
    )


def prepare_job(
    job: Job,
    cluster: Cluster,
    extras: Extras = NO_EXTRAS,
    *,
    base: Path | None = None,
    send: bool = True,
) -> Job:
    """Return the job as it is to be submitted, with its code on the cluster's storage.

    Args:
        job: The job as its author wrote it; it is not changed.
        cluster: Where it will be submitted.
        extras: What the submission adds.
        base: The folder that the paths of the sources are kept relative to; the current one.
        send: Whether to upload the code; ``False`` shows what would be submitted.

    Raises:
        ProtocolError: The job breaks the protocol; nothing was sent.
        NotFoundError: A workspace is needed and the cluster offers no storage for it.
        StorageError: The storage cannot be opened from this machine.
        OSError: A source cannot be read, or the storage refuses the code.
        ConnectionFailed: The cluster does not answer.
    """
    with _completed(job, cluster, extras, base) as (ready, code):
        if code and send:
            if can_validate():
                ready.validate()
            code.upload()
    return ready


def prepare_text(
    job: Job,
    cluster: Cluster,
    extras: Extras = NO_EXTRAS,
    *,
    base: Path | None = None,
    strict: bool = True,
    report: Callable[[str], None] | None = None,
) -> tuple[str, str]:
    """Return the name and the YAML of a job, prepared, validated and serialised once.

    Its code is on the cluster's storage then. Arguments and errors are those of
    :meth:`Cluster.submit`, up to the submission itself.
    """
    with _completed(job, cluster, extras, base) as (ready, code):
        # where jobs cannot be validated, the server's verdict is enough
        text = ready.validated_yaml(strict) if can_validate() else ready.to_yaml()
        if code:
            code.upload(report)
    return str(ready.name), text


@dataclass(frozen=True)
class _PackedCode:
    """The code of a job, packed in a temporary file, and where it goes."""

    archive: Archive
    cluster: Cluster
    workspace: Workspace
    job: str

    def upload(self, report: Callable[[str], None] | None = None) -> None:
        on_send = partial(report_sizes, self.archive.files, report) if report else None
        with self.cluster.storage(self.workspace.storage) as storage:
            folder = self.workspace.job(self.job).path
            upload_code(storage, folder, self.archive, on_send=on_send)


@contextmanager
def _completed(
    job: Job, cluster: Cluster, extras: Extras, base: Path | None
) -> Iterator[tuple[Job, _PackedCode | None]]:
    """Yield the job with runtime section and bootstrap, and its packed code if it has some."""
    if not needs_preparation(job, extras):
        yield job, None
        return
    document = job.to_dict()
    section = _section(document, cluster, extras)
    workspace = Workspace.parse(section.workspace) if section.workspace else None
    with ExitStack() as stack:
        archive = None
        if extras.has_code:
            limit = source_limit()
            packed = pack_sources(extras.sources, base or Path.cwd(), extras.files, limit=limit)
            archive = stack.enter_context(packed)
            code = Code(archive=f"code/{archive.sha256}.tar.gz", sha256=archive.sha256)
            section = replace(section, code=code)
        document["extras"][SECTION_KEY] = section.to_dict()
        if workspace and (section.outputs or section.code):
            _mount(document["extras"], cluster, workspace.storage)
        for mount in section.mounts:
            _mount(document["extras"], cluster, mount.storage, mount.path)
        ready = Job(document=add_bootstrap(document))
        if archive and workspace:
            yield ready, _PackedCode(archive, cluster, workspace, ready.name or "")
        else:
            yield ready, None


def prepare_once(
    job: Job, cluster: Cluster, extras: Extras = NO_EXTRAS, *, base: Path | None = None
) -> Job:
    """Return the job prepared for any number of copies under other names: its code is sent once.

    The code is in the folder of the job's own name, where each copy finds it. ``base`` is as for
    :func:`prepare_job`.

    Raises:
        Exception: As :func:`prepare_job`.
    """
    ready = prepare_job(job, cluster, extras, base=base)
    section = RuntimeSection.from_job(ready.document)
    if section is None or not section.code:
        return ready
    document = ready.to_dict()
    document["extras"][SECTION_KEY] = _with_code_of(section, str(job.name)).to_dict()
    return Job(document=document)


def _with_code_of(section: RuntimeSection, name: str) -> RuntimeSection:
    """Return the section with the code named by its whole address, in the folder of a job."""
    code = section.code
    if not code or not section.workspace or code.archive.startswith("/") or ":/" in code.archive:
        return section
    workspace = Workspace.parse(section.workspace)
    place = StorageUri(workspace.storage, f"{workspace.job(name).path}/{code.archive}")
    return replace(section, code=replace(code, archive=str(place)))


def copy_of(job: RemoteJob, name: str) -> Job:
    """Return the description of a job under another name, ready to be changed and prepared.

    Its code stays where it is, in the folder of the first job. The copy of another user's job saves
    its outputs in one's own workspace.

    Raises:
        JobNotFoundError: There is no such job.
        ProtocolError: Its runtime section is broken.
        ConnectionFailed: The cluster does not answer.
    """
    copy = job.config().renamed(name)
    section = RuntimeSection.from_job(copy.document)
    if section is None:
        return copy
    section = _with_code_of(section, job.name)
    if job.user != job.cluster.user:
        section = replace(section, workspace=None)
    copy.document["extras"][SECTION_KEY] = section.to_dict()
    return copy


def _section(document: Any, cluster: Cluster, extras: Extras) -> RuntimeSection:
    """Return the job's section with what the submission adds, and with a workspace if it needs one.

    The raw section gets its workspace first, since without one it may count as broken.
    """
    if not isinstance(document.get("extras"), dict):
        document["extras"] = {}
    raw = document["extras"].setdefault(SECTION_KEY, {"version": 1})
    if isinstance(raw, dict):
        wanted = extras.workspace or raw.get("workspace")
        has_files = extras.has_code or extras.outputs or raw.get("outputs") or raw.get("code")
        if wanted or has_files or raw.get("ssh"):
            raw["workspace"] = str(_workspace(cluster, wanted))
    section = RuntimeSection.from_job(document)
    assert section is not None
    return replace(
        section,
        outputs=[*section.outputs, *_new_outputs(section, extras)],
        requirements=list(dict.fromkeys([*section.requirements, *extras.requirements])),
    )


def _new_outputs(section: RuntimeSection, extras: Extras) -> Iterator[Output]:
    known = {output.path for output in section.outputs}
    return (Output(path) for path in dict.fromkeys(extras.outputs) if path not in known)


def _workspace(cluster: Cluster, wanted: Any) -> Workspace:
    if not wanted:
        return Workspace.default(cluster.default_storage(), cluster.user)
    workspace = Workspace.parse(str(wanted))
    return workspace if workspace.storage else replace(workspace, storage=cluster.default_storage())


def _mount(extras: Any, cluster: Cluster, storage: str, path: str = "") -> None:
    """List the storage among those that PAI mounts, at its usual place unless a path is given.

    An empty list means the user's default storages (rest-server/src/models/v2/job/k8s.js), so it
    is spelled out before another storage joins it.
    """
    listed = extras.get("storages")
    if listed is None:
        listed = extras["storages"] = []
    elif listed == []:
        defaults = list_storages(cluster.session, default=True)
        listed.extend({"name": item.name} for item in defaults)
    names = [item.get("name") for item in listed if isinstance(item, dict)]
    if storage not in names:
        listed.append({"name": storage, **({"mountPath": path} if path else {})})
