"""The command ``openpai-runtime``.

Every task waits for this module: it imports very little, and parses ``run`` itself, because
argparse would interpret the options of the command.
"""

from __future__ import annotations

import os
import sys

from openpai.runtime.__about__ import __version__
from openpai.runtime.log import log

TYPE_CHECKING = False  # importing typing would double the start-up time
if TYPE_CHECKING:
    from typing import Sequence

__all__ = ["main"]

_USAGE = """\
usage: openpai-runtime run [--dry-run] [--] COMMAND [ARGUMENT ...]
       openpai-runtime execute JOB.yaml [--task-role ROLE] [--index N]
       openpai-runtime carry FILE
       openpai-runtime info | doctor | --version | --help

  run      run a command as a task of a PAI job: fetch the job's code, forward signals, run the
           job's callbacks, always save its outputs, exit with the command's own exit code;
           with --dry-run only print the preparation
  execute  run one task of a job file on this machine, without a server
  carry    write the runtime into one file, for images and clusters without a package index
  info     print information about the system, programs, job, task and PAI's variables
  doctor   check the task for problems; exit 1 if there are any

The settings are read from extras["openpai.runtime"] of the job config; without them commands just
run. Own exit codes: 2 wrong usage or file, 124 time limit, 126 and 127 the command cannot be
started, 193 outputs not saved, 194 a callback failed, 195 the preparation failed.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:2] == ["run", "--dry-run"]:
        command = words[3:] if words[2:3] == ["--"] else words[2:]
        if command:
            return _other(["run", *command])
    elif words[:1] == ["run"] and words[1:2] not in ([], ["-h"], ["--help"]):
        command = words[2:] if words[1] == "--" else words[1:]
        if command:
            return run(command)
    elif words == ["--version"]:
        print(f"openpai-runtime {__version__}")  # noqa: T201
        return 0
    elif words[-1:] in (["-h"], ["--help"]):
        print(_USAGE, end="")  # noqa: T201
        return 0
    elif words[:1] == ["execute"] or words in (["info"], ["doctor"], ["carry", *words[1:2]]):
        return _other(words)
    print(_USAGE, end="", file=sys.stderr)  # noqa: T201
    return 2


def _other(words: Sequence[str]) -> int:
    from openpai.runtime.cli.commands import carry_file, doctor, dry_run, execute_file, info

    if words[0] == "run":
        return dry_run(words[1:])
    if words[0] == "carry":
        return carry_file(words[1])
    if words[0] == "execute":
        return execute_file(words[1:])
    return info() if words[0] == "info" else doctor()


def run(command: Sequence[str]) -> int:
    """Run a command as the job config demands; return the exit code."""
    from openpai.runtime.job import config_path, read_job

    document = read_job(config_path(os.environ))
    if document is None:
        return _run_without_job(command)
    from openpai.core.errors import OpenPaiError
    from openpai.runtime.exit_codes import NOT_READY
    from openpai.runtime.job import valid_section

    try:
        section = valid_section(document)
    except OpenPaiError as error:
        log(f"The command is not started. {error}")
        return NOT_READY
    if section is None:
        return _run_without_job(command)
    from openpai.runtime.job import TaskJob
    from openpai.runtime.task import run_task

    return run_task(TaskJob.of(document, section, dict(os.environ)), command)


def _run_without_job(command: Sequence[str]) -> int:
    from openpai.runtime.process import active_environ, run_command

    return run_command(command, active_environ(os.environ))
