"""Options of a local cluster."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Mapping

from openpai.core.errors import ConfigError
from openpai.core.local.state.machine import Resources

__all__ = ["Limits", "Options", "make_options"]


@dataclass(frozen=True)
class Limits:
    """Rate limits of requests; the defaults are those of PAI.

    Attributes:
        api_per_minute: All requests, per address.
        lists_per_minute: ``GET /jobs``, per user.
        submits_per_hour: ``POST /jobs``, per user, refused ones included.
    """

    api_per_minute: int = 600
    lists_per_minute: int = 120
    submits_per_hour: int = 3600


@dataclass(frozen=True)
class Options:
    """Options of a local cluster.

    Attributes:
        cpus: CPUs for tasks; ``None`` for those of this machine.
        memory_mb: MiB of memory for tasks; ``None`` for that of this machine.
        gpus: GPUs for tasks, simulated if there are none; ``None`` for those of this machine.
        grace: Seconds between SIGTERM and SIGKILL when a task is stopped.
        log_limit: Bytes after which a log file is rotated.
        virtual_clusters: Further virtual clusters by name, with their maximum resources.
        storages: Further storages by name: a folder, or the ``type`` and ``data`` of a storage that
            is elsewhere and that no task can mount.
        rate_limits: Rate limits; ``None`` for none.
        user: The first user, an admin; ``None`` for the user who starts the cluster.
        work_folder: The working folder of all tasks; ``None`` for one folder per task.
        engine: The engine of tasks: ``process`` (without images), ``docker``, ``podman`` or
            ``apptainer``.
        memory_limits: Whether to kill a task that uses more memory than its job requests.
        process_limit: Maximum number of processes of a task.
    """

    cpus: int | None = None
    memory_mb: int | None = None
    gpus: int | None = None
    grace: float = 30.0
    log_limit: int = 16 * 1024 * 1024
    virtual_clusters: Mapping[str, Resources] = field(default_factory=dict)
    storages: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)
    rate_limits: Limits | None = None
    user: str | None = None
    work_folder: str | None = None
    engine: str = "process"
    memory_limits: bool = True
    process_limit: int = 4096

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`make_options` reads back."""
        return dataclasses.asdict(self)


def make_options(values: Mapping[str, Any]) -> Options:
    """Return options from plain values: mappings stand for resources and limits.

    Raises:
        ConfigError: An option is unknown or has an invalid value.
    """
    known = {one.name for one in dataclasses.fields(Options)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"Invalid option '{unknown[0]}' of a local cluster.",
            f"Choose from: {', '.join(sorted(known))}.",
        )
    made = dict(values)
    try:
        clusters = made.get("virtual_clusters") or {}
        made["virtual_clusters"] = {name: _one(Resources, item) for name, item in clusters.items()}
        if made.get("rate_limits") is not None:
            made["rate_limits"] = _one(Limits, made["rate_limits"])
    except (TypeError, AttributeError) as error:
        raise ConfigError(f"Invalid option of a local cluster: {error}.") from error
    for name in ("cpus", "memory_mb", "gpus"):
        if (made.get(name) or 0) < 0:
            raise ConfigError(
                f"Invalid {name} '{made[name]}' of a local cluster.", "Choose 0 or more."
            )
    return Options(**made)


def _one(kind: Any, value: Any) -> Any:
    return kind(**value) if isinstance(value, Mapping) else value
