"""How a local cluster may differ from the usual one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Mapping

from openpai.core.errors import ConfigError
from openpai.core.local.state.machine import Resources

__all__ = ["Limits", "Options", "make_options"]


@dataclass(frozen=True)
class Limits:
    """How many requests are answered; these are the numbers of PAI's shipped service.

    Attributes:
        api_per_minute: Of any kind, for one address.
        lists_per_minute: ``GET /jobs``, for one user.
        submits_per_hour: ``POST /jobs``, for one user, refused ones included.
        hour: Seconds that such an hour has; tests make it shorter.
    """

    api_per_minute: int = 600
    lists_per_minute: int = 120
    submits_per_hour: int = 3600
    hour: int = 3600


@dataclass(frozen=True)
class Options:
    """How a local cluster differs from the usual one.

    Attributes:
        cpus: CPUs to give to tasks; ``None`` means those of this machine.
        memory_mb: MiB of memory to give to tasks; ``None`` means that of this machine.
        gpus: GPUs to give to tasks, pretended if there are none; ``None`` means those found.
        grace: Seconds between SIGTERM and SIGKILL when a task is stopped.
        log_limit: Bytes after which a log file is changed over.
        virtual_clusters: Further virtual clusters by name, with all that their jobs may use.
        storages: Further storages by name, with the folders that they are; or with what the server
            shall say of one that is elsewhere (``type``, ``data``), which no task can mount.
        rate_limits: How many requests are answered; ``None`` means all.
        user: The first user, an admin; ``None`` means whoever starts the cluster.
        work_folder: The folder that all tasks work in; ``None`` gives each one of its own.
        engine: What runs the commands of tasks: ``process``, without their images, or ``docker``,
            ``podman`` or ``apptainer``.
        memory_limits: Whether a task that uses more memory than its job asks for is killed.
        process_limit: A task with more processes than so many is killed.
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
        ConfigError: There is no such option, or a value is not what it should be.
    """
    known = {one.name for one in dataclasses.fields(Options)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"A local cluster has no option '{unknown[0]}'.", f"It has: {', '.join(sorted(known))}."
        )
    made = dict(values)
    try:
        clusters = made.get("virtual_clusters") or {}
        made["virtual_clusters"] = {name: _one(Resources, item) for name, item in clusters.items()}
        if made.get("rate_limits") is not None:
            made["rate_limits"] = _one(Limits, made["rate_limits"])
    except (TypeError, AttributeError) as error:
        raise ConfigError(
            f"An option of the local cluster is not what it should be: {error}."
        ) from error
    for name in ("cpus", "memory_mb", "gpus"):
        if (made.get(name) or 0) < 0:
            raise ConfigError(
                f"A local cluster cannot have {made[name]} {name}.", "Name 0 or more."
            )
    return Options(**made)


def _one(kind: Any, value: Any) -> Any:
    return kind(**value) if isinstance(value, Mapping) else value
