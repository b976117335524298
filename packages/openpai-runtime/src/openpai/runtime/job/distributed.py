"""Environment variables of distributed frameworks, from PAI's addresses of the tasks.

PAI names hosts and ports by the role's name in lower case without other characters
(openpai-runtime src/init.d/framework_parser.py); each task has a port of the label ``http``.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.protocol import convert_name
from openpai.runtime.job.context import TaskJob

__all__ = ["address", "framework_variables", "remove_host_file"]

_LABEL = "http"
_HOST_FILE = "OPENPAI_HOSTFILE"


def framework_variables(job: TaskJob) -> dict[str, str]:
    """Return the variables of the section's framework, if any.

    * ``pytorch``: ``MASTER_ADDR``, ``MASTER_PORT``, ``WORLD_SIZE``, ``RANK`` and ``LOCAL_RANK``,
      counted in tasks of this role, for one process a task. For one process a GPU ``torchrun``
      takes ``--nnodes $NNODES --node-rank $NODE_RANK --nproc-per-node $NPROC_PER_NODE``.
    * ``tensorflow``: ``TF_CONFIG`` with all tasks of all roles.
    * ``mpi``: ``OPENPAI_HOSTFILE``, a new file with the hosts of this role and a slot for each GPU.

    Raises:
        OpenPaiError: A task has no host or port yet, as in jobs without gang allocation.
        OSError: The host file cannot be written.
    """
    framework = job.section.distributed
    role, index = job.context.role, job.context.index
    if framework == "pytorch":
        host, port = address(job, role, 0)
        return {
            "MASTER_ADDR": host,
            "MASTER_PORT": port,
            "WORLD_SIZE": str(job.instances[role]),
            "RANK": str(index),
            "LOCAL_RANK": "0",
            "NNODES": str(job.instances[role]),
            "NODE_RANK": str(index),
            "NPROC_PER_NODE": str(_gpus(job, role) or 1),
        }
    if framework == "tensorflow":
        cluster = {
            name: [":".join(address(job, name, number)) for number in range(count)]
            for name, count in job.instances.items()
        }
        return {
            "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": role, "index": index}})
        }
    return {_HOST_FILE: _write_host_file(job)} if framework == "mpi" else {}


def remove_host_file(variables: Mapping[str, str]) -> None:
    """Remove the file of :func:`framework_variables`, if there is one."""
    with contextlib.suppress(KeyError, OSError):
        Path(variables[_HOST_FILE]).unlink()


def _write_host_file(job: TaskJob) -> str:
    role = job.context.role
    slots = _gpus(job, role) or 1
    hosts = [address(job, role, number)[0] for number in range(job.instances[role])]
    handle, path = tempfile.mkstemp(prefix="openpai-hosts-")
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{host} slots={slots}\n" for host in hosts)
    return path


def _gpus(job: TaskJob, role: str) -> int:
    config = job.document["taskRoles"][role]
    return int((config.get("resourcePerInstance") or {}).get("gpu") or 0)


def address(job: TaskJob, role: str, index: int, label: str = _LABEL) -> tuple[str, str]:
    """Return a task's host, and its first port of a label.

    Raises:
        OpenPaiError: The task has none yet, as in jobs without gang allocation.
    """
    environ: Mapping[str, str] = job.environ
    name = f"{convert_name(role)}_{index}"
    host = environ.get(f"PAI_HOST_IP_{name}")
    port = environ.get(f"PAI_PORT_LIST_{name}_{label}", "").partition(",")[0]
    if not host or not port:
        raise OpenPaiError(
            f"Task {role} {index} has no address yet.",
            "Distributed jobs need gang allocation (extras.gangAllocation must not be false).",
        )
    return host, port
