"""Engines by name: processes of this machine, or a container engine.

An engine turns a task into command lines for the task's supervisor and starts nothing itself, so
that a task does not depend on the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from openpai.core.errors import ConfigError

if TYPE_CHECKING:
    from openpai.core.local.executor.engine import Engine

__all__ = ["ENGINES", "make_engine"]


def _process() -> Engine:
    from openpai.core.local.executor.process import Processes

    return Processes()


def _docker() -> Engine:
    from openpai.core.local.executor.docker import Docker

    return Docker()


def _podman() -> Engine:
    from openpai.core.local.executor.docker import Podman

    return Podman()


def _apptainer() -> Engine:
    from openpai.core.local.executor.apptainer import Apptainer

    return Apptainer()


ENGINES: dict[str, Callable[[], Engine]] = {
    "process": _process,
    "docker": _docker,
    "podman": _podman,
    "apptainer": _apptainer,
}
"""The engines by name."""


def make_engine(name: str) -> Engine:
    """Return an engine that can be used.

    Raises:
        ConfigError: The name is unknown, or the engine is not installed or does not answer.
    """
    if name not in ENGINES:
        raise ConfigError(f"Invalid engine '{name}'.", f"Choose from: {', '.join(ENGINES)}.")
    engine = ENGINES[name]()
    engine.check()
    return engine
