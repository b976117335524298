"""The folder structure of a workspace: ``<workspace>/jobs/<job>/{code,output}``."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

__all__ = ["JobFolder", "Workspace"]


@dataclass(frozen=True)
class JobFolder:
    """Folders of a job inside a storage.

    Attributes:
        path: ``<workspace>/jobs/<job>``, an absolute POSIX path.
    """

    path: str

    @property
    def code(self) -> str:
        """Folder of the job's code archives."""
        return posixpath.join(self.path, "code")

    @property
    def output(self) -> str:
        """Folder of the job's outputs."""
        return posixpath.join(self.path, "output")

    def record(self, role: str, index: int) -> str:
        """File in which the runtime records the result of a task."""
        return posixpath.join(self.output, ".openpai", f"{role}-{index}.json")


@dataclass(frozen=True)
class Workspace:
    """A user's folder in one storage.

    Attributes:
        storage: The storage's name.
        path: The folder, an absolute POSIX path.
    """

    storage: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Workspace:
        """Read ``NAME:/PATH``.

        Raises:
            StorageError: The text is not such an address.
        """
        from openpai.core.storage.paths import StorageUri

        return cls(*StorageUri.parse(text))

    @classmethod
    def default(cls, storage: str, user: str) -> Workspace:
        """Return the workspace used where the user named none: ``/users/<user>``."""
        return cls(storage, posixpath.join("/users", user))

    def job(self, name: str) -> JobFolder:
        """Return the folder of the job with this name (without the user)."""
        return JobFolder(posixpath.join(self.path, "jobs", name))

    def __str__(self) -> str:
        return f"{self.storage}:{self.path}" if self.storage else self.path
