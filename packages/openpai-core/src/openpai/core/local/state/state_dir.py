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

import contextlib
import fcntl
import os
import secrets
import tempfile
import time
from pathlib import Path

from openpai.core.errors import ConfigError, OpenPaiError

__all__ = ["Folder", "default_folder", "is_locked", "take_lock", "write_private"]


def default_folder() -> Path:
    """Return ``$OPENPAI_HOME/local``; ``OPENPAI_HOME`` is ``~/.openpai`` unless set."""
    home = os.environ.get("OPENPAI_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".openpai") / "local"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, str(path))  # noqa: PTH105 - mkstemp gave a str
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108 - mkstemp gave a str
        raise


def take_lock(handle: int, patience: float = 0.2) -> bool:
    """Lock an open file for as long as this process lives; false if another one holds it.

    Who only looks (:func:`is_locked`) holds it for an instant, hence the patience, in seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock on a file; false if it cannot even be opened."""
    try:
        handle = os.open(str(path), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


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
        if not take_lock(handle):
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
