"""What an exit code of PAI means, and what to do about it.

PAI maps the status of a user's command to a code of its own table before anybody sees it; the
original one is kept as ``originUserExitCode`` (runtime.md §7). The table in ``exit_codes.json`` is
PAI's own (src/k8s-job-exit-spec/config/k8s-job-exit-spec.yaml, MIT).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["advice", "exit_codes", "exit_spec"]

_OTHER_POSITIVE = 256
_OTHER_NEGATIVE = -8000
# In the file that PAI's servers load, a list item is indented wrongly: code 130 is not in the table
# but among the patterns of 128.
_SWALLOWS, _LOST = 128, 130

_ADVICE = {
    -1200: "The container used more memory than memoryMB: raise memoryMB, or use less memory.",
    -210: "Somebody stopped the job.",
    -220: "The task was ended because the job was decided; look at the job's own code.",
    -200: "Kubernetes refused the task: look for negative resources or an impossible mount path.",
    130: "The command was interrupted by SIGINT; PAI starts the job again.",
    137: "The command was killed by SIGKILL, most often for its memory; PAI starts the job again, "
    "without limit: raise memoryMB if it comes back.",
    139: "The program read memory that is not its own; run it under a debugger.",
    143: "The command was ended by SIGTERM; PAI starts the job again.",
    220: "A command of the job was not found: is it installed in the image, and on PATH?",
    221: "TensorFlow ran out of GPU memory: use a smaller batch.",
    224: "The image needs a newer GPU driver than the node has: use an image with an older CUDA.",
    226: "The GPU ran out of memory: use a smaller batch.",
    232: "A Python package could not be imported: is it installed in the image?",
    251: "Not all tasks got a place within ten minutes; PAI tries again. Ask for less, "
    "or wait until the virtual cluster is less busy.",
    253: "A port of the task was taken on its node; PAI tries again with other ports.",
    254: "The image cannot be pulled: check its name, its tag and the credentials. PAI's own check "
    "also refuses digests and upper-case tags.",
    255: "The command failed with a status that PAI has no name for: read its log from the end.",
}


@lru_cache(maxsize=1)
def exit_codes() -> dict[int, dict[str, Any]]:
    """Return PAI's whole table by code, in the order in which PAI tries the patterns.

    An entry's ``pattern`` says what its runtime looks for in status and logs.
    """
    text = Path(__file__).with_name("exit_codes.json").read_text(encoding="utf-8")
    return {entry["code"]: entry for entry in json.loads(text)}


def exit_spec(code: int) -> dict[str, Any]:
    """Return what PAI knows of a code, as the REST API's ``appExitSpec`` shows it.

    A code that is not in the table gets the entry for unknown codes of its sign.
    """
    table = exit_codes()
    known = table.get(code) if code != _LOST else None
    spec = {**(known or table[_OTHER_POSITIVE if code > 0 else _OTHER_NEGATIVE]), "code": code}
    if code == _SWALLOWS:
        spec["pattern"] = {"runtimeContainerPatterns": [None, table[_LOST]]}
    return spec


def advice(code: int) -> str:
    """Return one sentence on what a code means to the user who sees it, and what to do."""
    if code in _ADVICE:
        return _ADVICE[code]
    spec = exit_spec(code)
    parts = [spec.get("reason", ""), *spec.get("solution", [])[:1]]
    return ". ".join(filter(None, parts)) or "The job succeeded."
