"""The commands beside ``run``: they may take their time to start."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Sequence

from openpai.core.errors import OpenPaiError, ProtocolError
from openpai.runtime.look import findings, information
from openpai.runtime.messages import reason, say

__all__ = ["doctor", "execute_file", "info"]


def info() -> int:
    """Print what the runtime sees."""
    for line in information(os.environ):
        print(line)  # noqa: T201 - what was asked for
    return 0


def doctor() -> int:
    """Print what is wrong; return 1 if there is something."""
    found = list(findings(os.environ))
    for line in found or ["Nothing is wrong."]:
        print(line)  # noqa: T201 - what was asked for
    return 1 if found else 0


def execute_file(words: Sequence[str]) -> int:
    """Run one task of the job in a file; return its exit code, or 2 for a wrong file or task."""
    from openpai.core.protocol.job import Job
    from openpai.runtime.execute import execute

    parser = argparse.ArgumentParser(prog="openpai-runtime execute")
    parser.add_argument("file", metavar="JOB.yaml", type=Path)
    parser.add_argument("--task-role", metavar="ROLE", help="the first role without it")
    parser.add_argument("--index", type=int, default=0, metavar="N", help="0 without it")
    options = parser.parse_args(words)
    try:
        roles = Job.from_file(options.file).document.get("taskRoles")
        role = options.task_role or (next(iter(roles), "") if isinstance(roles, dict) else "")
        return execute(options.file, role, options.index, os.environ)
    except ProtocolError as error:
        say(reason(error))
        for problem in error.problems:
            where = f"line {problem.line}" if problem.line else problem.path
            say(f"{where}: {problem.message}")
    except (OSError, OpenPaiError) as error:
        say(reason(error))
    return 2
