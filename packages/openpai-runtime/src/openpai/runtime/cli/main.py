"""``openpai-runtime``: the command line.

Most tasks only run a command, and each of them waits for this module: it imports next to nothing,
and looks at ``run`` itself, because argparse would touch the options of the command.
"""

from __future__ import annotations

import os
import sys

from openpai.runtime.__about__ import __version__
from openpai.runtime.log import say

TYPE_CHECKING = False  # for type checkers it is true; typing itself takes as long as a start
if TYPE_CHECKING:
    from typing import Sequence

__all__ = ["main"]

_USAGE = """\
usage: openpai-runtime run [--dry-run] [--] COMMAND [ARGUMENT ...]
       openpai-runtime execute JOB.yaml [--task-role ROLE] [--index N]
       openpai-runtime carry FILE
       openpai-runtime info | doctor | --version | --help

  run      run a command as a task of a PAI job: fetch the job's code, pass signals on, call the
           job's callbacks, save its outputs whatever happens, exit with the command's own code;
           with --dry-run only print what would be done before the command
  execute  run one task of a job here, from its file, without a server
  carry    write all of the runtime into one file, for images and clusters without an index
  info     print what the runtime sees: system, programs, job, task, PAI's variables
  doctor   look for what would keep the job's command from running; exit 1 if there is something

What to do is read from extras["openpai.runtime"] of the job's config; without it commands just run.
Exit codes of its own: 2 wrong usage or file, 124 time limit, 126 and 127 the command cannot be
started, 193 outputs not saved, 194 a callback failed, 195 what the command needs is not there.
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
        print(f"openpai-runtime {__version__}")  # noqa: T201 - what was asked for
        return 0
    elif words[-1:] in (["-h"], ["--help"]):
        print(_USAGE, end="")  # noqa: T201 - what was asked for
        return 0
    elif words[:1] == ["execute"] or words in (["info"], ["doctor"], ["carry", *words[1:2]]):
        return _other(words)
    print(_USAGE, end="", file=sys.stderr)  # noqa: T201 - the complaint about the usage
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
    """Run a command under whatever the job's config asks for; return the exit code."""
    from openpai.runtime.job import config_path, read_job

    document = read_job(config_path(os.environ))
    if document is None:
        return _plainly(command)
    from openpai.core.errors import OpenPaiError
    from openpai.runtime.exit_codes import NOT_READY
    from openpai.runtime.job import usable_section

    try:
        section = usable_section(document)
    except OpenPaiError as error:
        say(f"The command is not started. {error}")
        return NOT_READY
    if section is None:
        return _plainly(command)
    from openpai.runtime.job import TaskJob
    from openpai.runtime.task import run_task

    return run_task(TaskJob.of(document, section, dict(os.environ)), command)


def _plainly(command: Sequence[str]) -> int:
    from openpai.runtime.process import active_environ, run_plainly

    return run_plainly(command, active_environ(os.environ))
