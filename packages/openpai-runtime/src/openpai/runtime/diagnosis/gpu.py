"""Memory errors of the GPUs of this task."""

from __future__ import annotations

import shutil
import subprocess
from typing import Mapping

__all__ = ["gpu_faults"]

_TIMEOUT = 5.0
_FIELD = "ecc.errors.uncorrected.volatile.total"


def gpu_faults(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each GPU with uncorrectable memory errors since its start.

    ``nvidia-smi`` reports their sum, for GPUs since Ampere too. Empty if it is not installed, or
    hangs, as it may with a broken GPU.
    """
    program = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if not program:
        return []
    argv = [program, f"--query-gpu=index,{_FIELD}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    rows = (line.partition(",") for line in done.stdout.decode("utf-8", "replace").splitlines())
    counts = {index.strip(): count.strip() for index, _, count in rows}
    return [
        f"number {index} counts {count} uncorrectable memory errors. "
        "Run the job again on another node, and inform the cluster's admin."
        for index, count in counts.items()
        if count.isdigit() and int(count)
    ]
