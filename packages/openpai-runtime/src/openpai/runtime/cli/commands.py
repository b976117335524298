"""Commands other than ``run``."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import Sequence

from openpai.core.errors import OpenPaiError, ProtocolError
from openpai.runtime.cli.doctor import check, environment_info
from openpai.runtime.log import log, mask, message_of

__all__ = ["carry_file", "doctor", "dry_run", "execute_file", "info"]


def info() -> int:
    """Print the environment of the task."""
    for line in environment_info(os.environ):
        print(line)  # noqa: T201
    return 0


def doctor() -> int:
    """Print problems; return 1 if there are any."""
    problems = list(check(os.environ))
    for line in problems or ["No problems found."]:
        print(line)  # noqa: T201
    return 1 if problems else 0


def carry_file(target: str) -> int:
    """Write the runtime into one file; return 0, or 1 after an error."""
    from openpai.runtime.cli.zipapp import carry

    try:
        size = carry(Path(target))
    except (OSError, OpenPaiError) as error:
        log(message_of(error))
        return 1
    print(f"{target}: {size:,} bytes")  # noqa: T201
    return 0


def dry_run(command: Sequence[str]) -> int:
    """Print the preparation of a command; change nothing.

    Returns:
        0, or 1 if the command would not be started.
    """
    from openpai.runtime.job import TaskJob, config_path, read_job, valid_section
    from openpai.runtime.setup import Preparation, describe_goals

    document = read_job(config_path(os.environ))
    try:
        section = valid_section(document) if document else None
        if document and section:
            job = TaskJob.of(document, section, dict(os.environ))
            for line in describe_goals(Preparation(job, Path.cwd(), job.environ).goals()):
                print(line)  # noqa: T201
    except (OSError, OpenPaiError) as error:
        log(f"The command would not be started. {message_of(error)}")
        return 1
    print(f"- run the command\n    {mask(shlex.join(command))}")  # noqa: T201
    return 0


def execute_file(words: Sequence[str]) -> int:
    """Run one task of the job in a file; return its exit code, or 2 for a wrong file or task."""
    from openpai.core.protocol import Job
    from openpai.runtime.cli.run_file import execute

    parser = argparse.ArgumentParser(prog="openpai-runtime execute")
    parser.add_argument("file", metavar="JOB.yaml", type=Path)
    parser.add_argument("--task-role", metavar="ROLE", help="task role (default: the first)")
    parser.add_argument("--index", type=int, default=0, metavar="N", help="task index (default: 0)")
    options = parser.parse_args(words)
    try:
        roles = Job.from_file(options.file).document.get("taskRoles")
        role = options.task_role or (next(iter(roles), "") if isinstance(roles, dict) else "")
        return execute(options.file, role, options.index, os.environ)
    except ProtocolError as error:
        log(message_of(error))
        for problem in error.problems:
            where = f"line {problem.line}" if problem.line else problem.path
            log(f"{where}: {problem.message}")
    except (OSError, OpenPaiError) as error:
        log(message_of(error))
    return 2
