"""The public names of openpai-core; each is imported when it is first used."""

from __future__ import annotations

from openpai.core.__about__ import __version__

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as Python's start
if TYPE_CHECKING:
    from typing import Any

    from openpai.core import errors
    from openpai.core.client.cluster import Cluster
    from openpai.core.client.remote_job import RemoteJob
    from openpai.core.environment import TaskContext, in_job_container
    from openpai.core.protocol.job import Job

__all__ = [
    "Cluster",
    "Job",
    "RemoteJob",
    "TaskContext",
    "__version__",
    "errors",
    "in_job_container",
]

_HOMES = {
    "Cluster": "openpai.core.client.cluster",
    "Job": "openpai.core.protocol.job",
    "RemoteJob": "openpai.core.client.remote_job",
    "TaskContext": "openpai.core.environment",
    "in_job_container": "openpai.core.environment",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "errors":
        return import_module("openpai.core.errors")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
