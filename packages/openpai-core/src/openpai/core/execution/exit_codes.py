"""PAI's table of exit codes.

PAI maps the status of a user's command to a code of this table; the original one is kept as
``originUserExitCode``. The table in ``exit_codes.json`` is PAI's own
(src/k8s-job-exit-spec/config/k8s-job-exit-spec.yaml, MIT).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["exit_code_table", "exit_spec"]

_OTHER_POSITIVE = 256
_OTHER_NEGATIVE = -8000
# In the file that PAI's servers load, a list item is indented wrongly: code 130 is not in the table
# but among the patterns of 128.
_SWALLOWS, _LOST = 128, 130


@lru_cache(maxsize=1)
def exit_code_table() -> dict[int, dict[str, Any]]:
    """Return the table by code, in the order in which PAI tries the patterns.

    The ``pattern`` of an entry is what PAI's runtime searches in status and logs.
    """
    text = Path(__file__).with_name("exit_codes.json").read_text(encoding="utf-8")
    return {entry["code"]: entry for entry in json.loads(text)}


def exit_spec(code: int) -> dict[str, Any]:
    """Return the entry of a code, as ``appExitSpec`` of the REST API.

    Other codes get the entry for unknown codes of their sign.
    """
    table = exit_code_table()
    known = table.get(code) if code != _LOST else None
    spec = {**(known or table[_OTHER_POSITIVE if code > 0 else _OTHER_NEGATIVE]), "code": code}
    if code == _SWALLOWS:
        spec["pattern"] = {"runtimeContainerPatterns": [None, table[_LOST]]}
    return spec
