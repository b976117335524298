"""``openpai-runtime``: the command line.

Most tasks only run a command, and each of them waits for this module: it imports next to nothing,
and looks at ``run`` itself, because argparse would touch the options of the command.
"""

from __future__ import annotations

import os
import sys
from typing import Sequence

from openpai.runtime.__about__ import __version__
from openpai.runtime.messages import say

__all__ = ["main"]

_USAGE = """\
usage: openpai-runtime run [--] COMMAND [ARGUMENT ...]

Run a command as a task of a PAI job: fetch the job's code, pass signals on, call the job's
callbacks, save its outputs whatever happens, and exit with the command's own code.

  run [--] COMMAND ...   what submitted jobs start with
  --version              print the version
  -h, --help             print this

What to do is read from extras["openpai.runtime"] of the job's config; without one the command just
runs. Exit codes of its own: 2 wrong usage, 124 time limit, 126 and 127 the command cannot be
started, 193 outputs not saved, 194 a callback failed, 195 what the command needs is not there.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["--version"]:
        print(f"openpai-runtime {__version__}")  # noqa: T201 - what was asked for
        return 0
    if words[:1] in (["-h"], ["--help"], ["help"]) or words[:2] in (
        ["run", "-h"],
        ["run", "--help"],
    ):
        print(_USAGE, end="")  # noqa: T201 - what was asked for
        return 0
    if words[:1] == ["run"]:
        command = words[2:] if words[1:2] == ["--"] else words[1:]
        if command:
            return run(command)
    print(_USAGE, end="", file=sys.stderr)  # noqa: T201 - the complaint about the usage
    return 2


def run(command: Sequence[str]) -> int:
    """Run a command under whatever the job's config asks for; return the exit code."""
    from openpai.runtime.config import config_path, read_job

    document = read_job(config_path(os.environ))
    if document is None:
        return _plainly(command)
    from openpai.core.errors import OpenPaiError
    from openpai.runtime.config import usable_section
    from openpai.runtime.exits import NOT_READY

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
    from openpai.runtime.command import active_environ, run_plainly

    return run_plainly(command, active_environ(os.environ))
