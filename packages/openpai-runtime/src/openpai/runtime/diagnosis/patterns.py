"""What known lines at the end of a log mean, and what to do about them.

A line counts only near the end of the log of a command that failed, and of several that match the
last one is taken: what a program wrote long before it ended did not end it.

To add one, add an entry and a real message of it to ``tests/diagnosis/test_patterns.py``.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

from openpai.runtime.log import PREFIX

__all__ = ["PATTERNS", "Found", "Pattern", "search"]


class Pattern(NamedTuple):
    """A kind of line.

    Attributes:
        name: A short name for programs.
        regex: What the line contains.
        meaning: One sentence for people.
        advice: What to do.
    """

    name: str
    regex: str
    meaning: str
    advice: str


class Found(NamedTuple):
    """A line of a log and what it means."""

    line: str
    pattern: Pattern


PATTERNS: Sequence[Pattern] = (
    Pattern(
        "gpu-memory",
        r"CUDA out of memory|OutOfMemoryError: CUDA|CUDA_ERROR_OUT_OF_MEMORY"
        r"|OOM when allocating tensor|CUBLAS_STATUS_ALLOC_FAILED|HIP out of memory",
        "The GPU ran out of memory.",
        "Use a smaller batch or model, or a GPU with more memory.",
    ),
    Pattern(
        "shared-memory",
        r"DataLoader worker \(pid.*killed by signal: Bus error|insufficient shared memory"
        r"|unable to (?:open|write|mmap) shared memory|No space left on device.*/dev/shm",
        "Shared memory (/dev/shm) is too small.",
        "Raise extraContainerOptions.shmMB of the task role, or use fewer loader workers.",
    ),
    Pattern(
        "gpu-hardware",
        r"uncorrectable ECC error|CUDA_ERROR_ECC_UNCORRECTABLE|GPU has fallen off the bus"
        r"|NVRM: Xid|CUDA_ERROR_HARDWARE_STACK_ERROR",
        "A GPU reports a hardware error.",
        "Run the job again on another node, and tell the cluster's admin.",
    ),
    Pattern(
        "gpu-driver",
        r"CUDA driver version is insufficient|NVIDIA driver on your system is too old"
        r"|no kernel image is available for execution|libcuda\.so\.1: cannot open"
        r"|Found no NVIDIA driver|no CUDA-capable device is detected",
        "The image's CUDA does not fit the node's driver or GPU, or there is no GPU.",
        "Check that the task role asks for a GPU, and use an image for an older CUDA.",
    ),
    Pattern(
        "nccl",
        r"NCCL (?:error|WARN .*(?:failed|error))|ncclSystemError|ncclInternalError"
        r"|ncclUnhandledCudaError|Watchdog caught collective operation timeout"
        r"|ncclRemoteError|Some NCCL operations have failed or timed out",
        "Communication between GPUs or tasks failed.",
        "Often another task died first: look at the logs of all tasks; NCCL_DEBUG=INFO tells more.",
    ),
    Pattern(
        "memory",
        r"^MemoryError\b|std::bad_alloc|Cannot allocate memory|numpy.*ArrayMemoryError"
        r"|java\.lang\.OutOfMemoryError",
        "A program could not get the memory that it asked for.",
        "Raise memoryMB of the task role, or use less.",
    ),
    Pattern(
        "disk-full",
        r"No space left on device|Disk quota exceeded",
        "A disk is full.",
        "Write less, delete what is not needed, or write to a storage with more room.",
    ),
    Pattern(
        "stale-mount",
        r"Stale (?:NFS )?file handle|Transport endpoint is not connected",
        "A mounted storage went away.",
        "Run the job again; if it persists, tell the cluster's admin.",
    ),
    Pattern(
        "missing-package",
        r"^(?:ModuleNotFoundError|ImportError): ",
        "A Python package is missing or broken.",
        "Add it to the job's requirements, or use an image that has it.",
    ),
    Pattern(
        "missing-library",
        r"error while loading shared libraries|cannot open shared object file",
        "A shared library is missing in the image.",
        "Install it in the image.",
    ),
    Pattern(
        "missing-command",
        r": command not found$|: not found$|exec format error",
        "A program is not in the image.",
        "Install it, or check the spelling and PATH.",
    ),
    Pattern(
        "unbound-variable",
        r": unbound variable$",
        "A shell variable is not set; PAI runs the commands with `set -o nounset`.",
        "Set it, or write ${NAME:-} where it may be missing.",
    ),
    Pattern(
        "missing-file",
        r"No such file or directory",
        "A file or folder is not there.",
        "Check the path, and that the storage it is on is listed in extras.storages.",
    ),
    Pattern(
        "permission",
        r"Permission denied|Operation not permitted|Read-only file system",
        "Something may not be read, written or executed.",
        "Check the permissions of the path named in the line.",
    ),
    Pattern(
        "port",
        r"Address already in use",
        "A port is taken.",
        "Use the ports that PAI gives the task (PAI_PORT_LIST_*), not fixed ones.",
    ),
    Pattern(
        "name-resolution",
        r"Temporary failure in name resolution|Name or service not known|Could not resolve host",
        "A host name could not be resolved.",
        "Check the name, and whether the nodes reach the network it is in.",
    ),
    Pattern(
        "network",
        r"Connection (?:refused|reset by peer|timed out)|Network is unreachable|No route to host"
        r"|Max retries exceeded|Read timed out",
        "A connection failed.",
        "Check that the other side is up and reachable from the nodes.",
    ),
    Pattern(
        "python-error",
        r"^[\w.]*(?:Error|Exception|Interrupt)(?:: .*)?$",
        "Python stopped with an exception.",
        "The lines above it say where.",
    ),
)


def search(text: str) -> Found | None:
    """Return the last line of a text that some pattern knows, or ``None``.

    A line that several patterns know is explained by the first of them.
    """
    compiled = [(re.compile(pattern.regex), pattern) for pattern in PATTERNS]
    for line in reversed(text.splitlines()):
        if line.startswith(PREFIX):  # the runtime's own words explain nothing
            continue
        for regex, pattern in compiled:
            if regex.search(line.strip()):
                return Found(line.strip()[-500:], pattern)
    return None
