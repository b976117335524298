"""What <Tab> offers, and how each shell is told."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from openpai.core.cli import clusters, jobs, outputs, remote_paths, storages, sweeps

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "clusters",
    "complete",
    "default_keys",
    "files",
    "jobs",
    "outputs",
    "remote_paths",
    "states",
    "storages",
    "sweeps",
]

# What bash must not see in a word that stands in no quotes.
_SPECIAL = re.compile(r"([\s\"'$&;()*?<>|`\\!{}\[\]#])")


def states(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of the states of a job."""
    from openpai.core.states import STATES

    return [state for state in STATES if state.startswith(incomplete.upper())]


def default_keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Keys of the layered defaults."""
    from openpai.core.config import KEYS

    return [key for key in KEYS if key.startswith(incomplete)]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files of this machine, which the shell knows itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete(root: click.Command, shell: str, arguments: Sequence[str]) -> int:
    """Print what fits, one candidate on a line: kind, value and help, parted by tabs.

    Args:
        root: The command ``opai``.
        shell: ``bash``, ``zsh`` or ``fish``.
        arguments: ``--`` and the words up to the cursor, the program's name first; for bash, which
            parts words in a way of its own, the line up to the cursor.
    """
    from click.shell_completion import ShellComplete

    with open(os.devnull, "w") as nothing:  # noqa: PTH123 - a warning would garble the line
        sys.stderr = nothing
        words, bare = _bash_words(arguments[1]) if shell == "bash" else (list(arguments[1:]), True)
        *before, incomplete = words[1:] or [""]
        found = ShellComplete(root, {}, "opai", "_OPAI_COMPLETE").get_completions(
            before, incomplete
        )
        lines = [_line(item, incomplete) for item in found]
        if shell == "bash":
            lines = list(_for_bash(lines, incomplete, bare))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        sys.stderr = sys.__stderr__
    return 0


def _line(item: CompletionItem, incomplete: str) -> str:
    """Return one candidate; ``--option=`` belongs to the word, though click takes it off."""
    option, equals, _ = incomplete.partition("=")
    own = option + equals if equals and option.startswith("--") else ""
    value = item.value if item.value.startswith(own) else own + item.value
    return "\t".join([item.type, value, " ".join((item.help or "").split())])


def _bash_words(line: str) -> tuple[list[str], bool]:
    """Return the words of a line, the last one incomplete, and whether that is in no quotes."""
    from click.shell_completion import split_arg_string

    words = split_arg_string(line)
    last = re.split(r"(?<!\\)\s", line)[-1]
    bare = last[:1] not in ("'", '"') and line.count('"') % 2 == 0 and line.count("'") % 2 == 0
    return ([*words, ""] if bare and not last else words), bare


def _for_bash(lines: Sequence[str], incomplete: str, bare: bool) -> Iterator[str]:
    """Yield candidates as bash wants them: without what it takes for other words, and quoted."""
    breaks = "".join(set(os.environ.get("_OPAI_BREAKS", "")) & set(":="))
    cut = max((incomplete.rfind(char) + 1 for char in breaks), default=0) if bare else 0
    for line in lines:
        kind, value, told = line.split("\t")
        shown = _SPECIAL.sub(r"\\\1", value[cut:]) if bare else value
        yield "\t".join([kind, shown, told])
