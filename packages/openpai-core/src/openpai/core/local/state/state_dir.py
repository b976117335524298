"""The state folder of a local cluster: its files, their permissions, its lock.

::

    <folder>/            0700
        lock             held by the server that uses the folder
        server.json      address and process of that server
        server.log       its log
        password, token, key   0600: the first user's credentials, the key that signs tokens
        cluster.db       all records (SQLite)
        wakeup           pipe by which task supervisors wake the server
        openpai-runtime  the runtime as one file, for containers
        storage/         the default storage
        jobs/<framework>/<task attempt uid>/   a folder per task attempt (see launcher.py)
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from openpai.core.errors import ConfigError, OpenPaiError
from openpai.core.files import is_locked, lock_handle, write_private
from openpai.core.paths import home

__all__ = ["StateDir", "default_folder"]


def default_folder() -> Path:
    """Return ``$OPENPAI_HOME/local``; without the variable ``~/.openpai/local``."""
    return home() / "local"


class StateDir:
    """The state folder of a cluster; :meth:`create` creates it, :meth:`hold` locks it.

    Attributes:
        path: The folder, absolute.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self.lock = self.path / "lock"
        self.server = self.path / "server.json"
        self.log = self.path / "server.log"
        self.database = self.path / "cluster.db"
        self.wakeup = self.path / "wakeup"
        self.storage = self.path / "storage"
        self.jobs = self.path / "jobs"
        self._held: int | None = None

    def create(self) -> None:
        """Create the folder and its content, where missing.

        Raises:
            ConfigError: It cannot be created or written.
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
            if not self.wakeup.exists():
                os.mkfifo(str(self.wakeup), 0o600)
        except OSError as error:
            raise ConfigError(
                f"The local cluster cannot keep its state in {self.path}: "
                f"{error.strerror or error}.",
                "Free space there, or name another folder with OPENPAI_HOME.",
            ) from error

    def secret(self, name: str) -> str:
        """Return the content of a private file; empty if it does not exist."""
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def hold(self) -> None:
        """Lock the folder until :meth:`release` or the end of this process.

        Raises:
            OpenPaiError: Another server has locked it.
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
        """Unlock the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_held(self) -> bool:
        """Whether a running server has locked the folder."""
        return is_locked(self.lock)
