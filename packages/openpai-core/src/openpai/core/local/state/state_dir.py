"""The state folder of a local cluster: what lies where, who may read it, who holds it.

::

    <folder>/            0700
        lock             held by the one server that uses the folder
        server.json      where that server listens
        server.log       what it has to say
        password, token, key   0600: the first user's credentials, the key that signs tokens
        cluster.db       every record (SQLite)
        bell             a pipe by which task supervisors wake the server
        openpai-runtime  the runtime in one file, for containers
        storage/         the storage that the cluster offers
        jobs/<framework>/<task attempt uid>/   one folder a task attempt (see launcher.py)
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from openpai.core.errors import ConfigError, OpenPaiError
from openpai.core.files import is_locked, lock_handle, write_private
from openpai.core.paths import home

__all__ = ["Folder", "default_folder"]


def default_folder() -> Path:
    """Return ``$OPENPAI_HOME/local``; without the variable ``~/.openpai/local``."""
    return home() / "local"


class Folder:
    """The state folder; :meth:`create` makes it, :meth:`hold` keeps others out.

    Attributes:
        path: The folder itself, absolute.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self.lock = self.path / "lock"
        self.server = self.path / "server.json"
        self.log = self.path / "server.log"
        self.database = self.path / "cluster.db"
        self.bell = self.path / "bell"
        self.storage = self.path / "storage"
        self.jobs = self.path / "jobs"
        self._held: int | None = None

    def create(self) -> None:
        """Make the folder and what is in it, or find it as it was left.

        Raises:
            ConfigError: It cannot be made or written: a full disk, a read-only home, a file there.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.mkdir(exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            for part in (self.storage, self.jobs):
                part.mkdir(exist_ok=True, mode=0o700)
            for name, size in (("password", 18), ("token", 0), ("key", 32)):
                if size and not (self.path / name).exists():
                    write_private(self.path / name, secrets.token_urlsafe(size))
            if not self.bell.exists():
                os.mkfifo(str(self.bell), 0o600)
        except OSError as error:
            raise ConfigError(
                f"The local cluster cannot keep its state in {self.path}: "
                f"{error.strerror or error}.",
                "Free space there, or name another folder with OPENPAI_HOME.",
            ) from error

    def secret(self, name: str) -> str:
        """Return what one of the private files holds; empty if there is none yet."""
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def hold(self) -> None:
        """Keep every other server out until :meth:`release` or the end of this process.

        Raises:
            OpenPaiError: Another server holds the folder.
        """
        handle = os.open(str(self.lock), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not lock_handle(handle, timeout=0.2):
            os.close(handle)
            raise OpenPaiError(
                f"Another local cluster uses the folder {self.path}.",
                "Stop it with 'opai local down', or name another folder with OPENPAI_HOME.",
            )
        self._held = handle

    def release(self) -> None:
        """Let others in again."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_held(self) -> bool:
        """Whether a living server holds the folder."""
        return is_locked(self.lock)
