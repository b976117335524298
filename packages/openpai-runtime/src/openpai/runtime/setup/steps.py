"""Steps of the preparation as data, which ``--dry-run`` prints.

A step is a program with arguments, never a shell command, or a Python function. A goal has one or
more alternatives, each a list of steps; when one fails, the next is tried.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from openpai.core.errors import OpenPaiError
from openpai.runtime.log import log, mask, message_of

__all__ = ["Goal", "Step", "describe_goals", "run_goal"]


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        description: Description.
        argv: A program and its arguments; its stdout goes to stderr.
        call: Or a function.
        environ: Variables for the program, which may be secret and are not printed.
    """

    description: str
    argv: Sequence[str] = ()
    call: Callable[[], object] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """A precondition of the command.

    Attributes:
        name: The key of the runtime section that requires it.
        without: The problem without it, as part of a sentence.
        alternatives: Lists of steps, the best first; none if there is nothing to do.
    """

    name: str
    without: str
    alternatives: Sequence[Sequence[Step]] = ()


def describe_goals(goals: Iterable[Goal]) -> Iterator[str]:
    """Yield the steps as lines of text."""
    for goal in goals:
        for number, steps in enumerate(goal.alternatives):
            if number:
                yield "or, if that fails:"
            for step in steps:
                yield f"- {mask(step.description)}"
                if step.argv:
                    yield f"    {mask(shlex.join(step.argv))}"


def run_goal(goal: Goal, environ: Mapping[str, str]) -> None:
    """Run the steps of a goal, alternatives in order.

    Args:
        goal: The goal.
        environ: The environment of programs.

    Raises:
        OpenPaiError: All alternatives failed; the last error, earlier ones are logged.
        OSError: The same, from a function.
    """
    for number, steps in enumerate(goal.alternatives, 1):
        try:
            for step in steps:
                _run_step(step, environ)
            return
        except (OSError, OpenPaiError) as error:
            if number == len(goal.alternatives):
                raise
            log(f"{message_of(error)} Trying another way.")


def _run_step(step: Step, environ: Mapping[str, str]) -> None:
    if step.call:
        step.call()
    if not step.argv:
        return
    try:
        done = subprocess.run(
            step.argv,
            stdin=subprocess.DEVNULL,
            stdout=2,
            env={**environ, **step.environ},
            check=False,
        )
    except OSError as error:
        raise OpenPaiError(f"'{step.argv[0]}' cannot be started: {error.strerror}.") from None
    if done.returncode:
        raise OpenPaiError(f"'{shlex.join(step.argv[:2])}' failed (to {step.description}).")
