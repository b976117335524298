"""Names of files that are still being written, and which of those nobody writes any more."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from openpai.core.processes import boot_id

__all__ = ["is_abandoned", "is_partial", "partial_name", "parts_name"]

#: Seconds after its last change for which a partial file of an unknown process is kept.
MAX_AGE = timedelta(days=7)

_OWNED = re.compile(r"\.opai-(?P<machine>[0-9a-f]{8})-(?P<process>[0-9a-f]+)-[0-9a-f]+\.partial")


def partial_name() -> str:
    """Return a new name for a file that is still being written, in the folder of its final name.

    It names the machine and process, so that others can see whether it is still running.
    """
    return f".opai-{_machine()}-{os.getpid():x}-{os.urandom(6).hex()}.partial"


def parts_name() -> str:
    """Return a new name for a file written in parts, that another process may resume."""
    return f".opai-parts-{os.urandom(6).hex()}.partial"


def is_partial(name: str) -> bool:
    """Whether a name is one of the above: in use, or left behind by a killed process."""
    return name.startswith(".opai-") and name.endswith(".partial")


def is_abandoned(name: str, modified: datetime | None) -> bool:
    """Whether a partial file may be removed.

    It may when the process that wrote it was one of this machine, since it was started, and is
    dead; any other when it was not changed for :data:`MAX_AGE`.
    """
    owned = _OWNED.fullmatch(name)
    if owned and owned["machine"] == _machine():
        with suppress(PermissionError, OverflowError):
            try:
                os.kill(int(owned["process"], 16), 0)
            except ProcessLookupError:
                return True
        return False
    return modified is not None and datetime.now(timezone.utc) - modified > MAX_AGE


@lru_cache(maxsize=None)
def _machine() -> str:
    """Return what is the same for all processes that see each other's numbers, and for no others.

    That is the machine since it was started, and the namespace where containers have their own.
    """
    try:
        machine = boot_id() + os.readlink("/proc/self/ns/pid")
    except OSError:
        machine = os.urandom(8).hex()
    return hashlib.sha256(machine.encode()).hexdigest()[:8]
