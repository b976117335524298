"""What the runtime does before the command, as data: shown by ``--dry-run``, or done.

A step is a program with its arguments, never a text for a shell, or a Python function. Steps that
lead to one goal form a way; of several ways to it, the next is tried when one fails.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from openpai.core.errors import OpenPaiError
from openpai.runtime.log import mask, reason, say

__all__ = ["Goal", "Step", "reach", "shown"]


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        what: What it does, in words.
        argv: A program and its arguments; what it prints goes to stderr.
        call: Or a function.
        environ: Variables for the program, which may be secret and are not shown.
    """

    what: str
    argv: Sequence[str] = ()
    call: Callable[[], object] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """Something that the command needs.

    Attributes:
        name: A word for it: the key of the section that asks for it.
        without: What is wrong without it, as part of a sentence.
        ways: The ways to it, the best first; none if it is reached already.
    """

    name: str
    without: str
    ways: Sequence[Sequence[Step]] = ()


def shown(goals: Iterable[Goal]) -> Iterator[str]:
    """Yield lines that tell what would be done."""
    for goal in goals:
        for number, way in enumerate(goal.ways):
            if number:
                yield "or, if that fails:"
            for step in way:
                yield f"- {mask(step.what)}"
                if step.argv:
                    yield f"    {mask(shlex.join(step.argv))}"


def reach(goal: Goal, environ: Mapping[str, str]) -> None:
    """Do what leads to a goal.

    Args:
        goal: What is wanted.
        environ: The environment of programs.

    Raises:
        OpenPaiError: No way led to it; those before the last have been said.
        OSError: As raised by the last way's functions.
    """
    for number, way in enumerate(goal.ways, 1):
        try:
            for step in way:
                _do(step, environ)
            return
        except (OSError, OpenPaiError) as error:
            if number == len(goal.ways):
                raise
            say(f"{reason(error)} Trying another way.")


def _do(step: Step, environ: Mapping[str, str]) -> None:
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
        raise OpenPaiError(f"'{shlex.join(step.argv[:2])}' failed (to {step.what}).")
