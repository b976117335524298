"""The commands beside ``run``: they may take their time to start."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Sequence

from openpai.core.errors import OpenPaiError, ProtocolError
from openpai.runtime.cli.doctor import findings, information
from openpai.runtime.log import mask, reason, say

__all__ = ["carry_file", "doctor", "dry_run", "execute_file", "info"]


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


def carry_file(target: str) -> int:
    """Write the runtime into one file; return 0, or 1 if that cannot be."""
    from openpai.runtime.cli.zipapp import carry

    try:
        size = carry(Path(target))
    except (OSError, OpenPaiError) as error:
        say(reason(error))
        return 1
    print(f"{target}: {size:,} bytes")  # noqa: T201 - what was asked for
    return 0


def dry_run(command: Sequence[str]) -> int:
    """Print what the job's section would have done before a command; change nothing.

    Returns:
        0, or 1 if something is missing that the command needs.
    """
    from openpai.runtime.job import TaskJob, config_path, read_job, usable_section
    from openpai.runtime.setup import Preparation, shown

    document = read_job(config_path(os.environ))
    try:
        section = usable_section(document) if document else None
        if document and section:
            job = TaskJob.of(document, section, dict(os.environ))
            for line in shown(Preparation(job, Path.cwd(), job.environ).goals()):
                print(line)  # noqa: T201 - what was asked for
    except (OSError, OpenPaiError) as error:
        say(f"The command would not be started. {reason(error)}")
        return 1
    print(f"- run the command\n    {mask(shlex.join(command))}")  # noqa: T201
    return 0


def execute_file(words: Sequence[str]) -> int:
    """Run one task of the job in a file; return its exit code, or 2 for a wrong file or task."""
    from openpai.core.protocol import Job
    from openpai.runtime.cli.run_file import execute

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
