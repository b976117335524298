"""Context of a task: its job, runtime section, storages and output paths."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.environment import TaskContext
from openpai.core.errors import StorageError
from openpai.core.protocol import Output, RuntimeSection, instances
from openpai.core.storage import JobFolder, Workspace

if TYPE_CHECKING:
    from openpai.core.storage import LocalStorage

__all__ = ["TaskJob", "storage_folder"]


@dataclass(frozen=True)
class TaskJob:
    """One task of a job that uses the runtime.

    Attributes:
        document: The job config.
        section: Its runtime section, without invalid parts.
        context: Identity of the task; outside of a container the first task of the first role.
        environ: The task's initial environment.
    """

    document: Mapping[str, Any]
    section: RuntimeSection
    context: TaskContext
    environ: Mapping[str, str]

    @classmethod
    def of(
        cls, document: Mapping[str, Any], section: RuntimeSection, environ: Mapping[str, str]
    ) -> TaskJob:
        """Return the context of the task of an environment."""
        context = TaskContext.from_env(environ)
        if context is None:
            roles = document.get("taskRoles")
            role = next(iter(roles), "main") if isinstance(roles, dict) else "main"
            context = TaskContext(
                user="", job=str(document.get("name") or "job"), role=role, index=0
            )
        return cls(document, section, context, environ)

    @property
    def attempt(self) -> int:
        """Number of earlier starts of this task, in all attempts of the job."""
        return self.context.job_attempt + self.context.task_attempt

    @property
    def instances(self) -> Mapping[str, int]:
        """Number of tasks of each role."""
        roles = self.document.get("taskRoles")
        return {
            name: instances(role) if isinstance(role, dict) else 1
            for name, role in (roles.items() if isinstance(roles, dict) else ())
        }

    @property
    def outputs(self) -> list[Output]:
        """The outputs of this task."""
        return self.section.outputs_of(self.context.role)

    @property
    def folder(self) -> JobFolder | None:
        """The job's folder inside the storage of its workspace, if it has a workspace."""
        if not self.section.workspace:
            return None
        return Workspace.parse(self.section.workspace).job(self.context.job)

    @property
    def output(self) -> str:
        """The task's folder inside the job's ``output``: empty for the only task of a job."""
        return (
            f"{self.context.role}/{self.context.index}" if sum(self.instances.values()) > 1 else ""
        )

    def workspace_storage(self) -> LocalStorage:
        """Open the storage that the workspace is in.

        Raises:
            StorageError: The storage is not mounted in this task.
        """
        assert self.section.workspace
        return self.storage(Workspace.parse(self.section.workspace).storage)

    def workspace_folder(self) -> Path:
        """Return the local path of the workspace; it may not exist yet.

        Raises:
            StorageError: The job has none, or its storage is not mounted in this task.
        """
        if not self.section.workspace:
            raise StorageError("The job has no workspace.")
        return self.workspace_storage().root / Workspace.parse(self.section.workspace).path.strip(
            "/"
        )

    def storage(self, name: str) -> LocalStorage:
        """Open a storage of the cluster by its name.

        Raises:
            StorageError: The storage is not mounted in this task.
        """
        from openpai.core.storage import LocalStorage

        return LocalStorage(storage_folder(name, self.document, self.environ), name)

    def output_folder(self) -> Path:
        """Return the local path of the task's output folder; it may not exist yet.

        Raises:
            StorageError: The workspace's storage is not mounted here.
        """
        assert self.folder
        storage = self.workspace_storage()
        return storage.root / posixpath.join(self.folder.output, self.output).strip("/")

    def archive(self) -> tuple[LocalStorage, str]:
        """Return the storage and the path of the code archive.

        Raises:
            StorageError: Its storage is not mounted here.
        """
        assert self.section.code
        from openpai.core.storage import StorageUri

        place = StorageUri.parse(self.section.code.archive)
        if place.storage:
            return self.storage(place.storage), place.path
        path = self.section.code.archive
        if not path.startswith("/"):
            assert self.folder
            path = posixpath.join(self.folder.path, path)
        return self.workspace_storage(), path


def storage_folder(name: str, document: Mapping[str, Any], environ: Mapping[str, str]) -> Path:
    """Return the local folder where a storage is mounted.

    A local cluster sets ``OPENPAI_STORAGES``; PAI mounts a storage at the job's ``mountPath``, by
    default at ``/mnt/<name>`` (rest-server/src/models/v2/job/k8s.js).

    Raises:
        StorageError: It is not mounted.
    """
    declared = _declared_storages(environ)
    places = [declared.get(name), _mount_path(name, document), f"/mnt/{name}"]
    for place in places:
        if place and Path(place).is_dir():
            return Path(place)
    where = " or ".join(str(place) for place in places if place)
    raise StorageError(
        f"The storage '{name}' is not mounted in this task (looked at {where}).",
        "List it under extras.storages of the job.",
    )


def _declared_storages(environ: Mapping[str, str]) -> Mapping[str, str]:
    try:
        storages = json.loads(environ.get("OPENPAI_STORAGES") or "{}")
    except ValueError:
        storages = None
    if not isinstance(storages, dict):
        raise StorageError("OPENPAI_STORAGES is not a JSON object.", 'Write {"NAME": "/PATH"}.')
    return storages


def _mount_path(name: str, document: Mapping[str, Any]) -> str | None:
    extras = document.get("extras")
    storages = extras.get("storages") if isinstance(extras, dict) else None
    for entry in storages if isinstance(storages, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry.get("mountPath")
    return None
