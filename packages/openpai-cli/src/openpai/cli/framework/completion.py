"""Print completion candidates for bash, zsh and fish."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["complete"]

# Characters that bash interprets in an unquoted word.
_SPECIAL = re.compile(r"([\s\"'$&;()*?<>|`\\!{}\[\]#])")


def complete(root: click.Command, shell: str, arguments: Sequence[str]) -> int:
    """Print the candidates, one a line: kind, value and help, separated by tabs.

    Args:
        root: The command ``opai``.
        shell: ``bash``, ``zsh`` or ``fish``.
        arguments: ``--`` and the words up to the cursor, the program's name first; for bash, which
            splits words differently, the line up to the cursor.
    """
    from click.shell_completion import ShellComplete

    with open(os.devnull, "w") as nothing:  # noqa: PTH123 - no warnings here
        sys.stderr = nothing
        words, bare = _bash_words(arguments[1]) if shell == "bash" else (list(arguments[1:]), True)
        *before, incomplete = words[1:] or [""]
        items = ShellComplete(root, {}, "opai", "_OPAI_COMPLETE").get_completions(
            before, incomplete
        )
        lines = [_line(item, incomplete) for item in items]
        if shell == "bash":
            lines = list(_for_bash(lines, incomplete, bare))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        sys.stderr = sys.__stderr__
    return 0


def _line(item: CompletionItem, incomplete: str) -> str:
    """Return one candidate, with the ``--option=`` that click removes from it."""
    option, equals, _ = incomplete.partition("=")
    own = option + equals if equals and option.startswith("--") else ""
    value = item.value if item.value.startswith(own) else own + item.value
    return "\t".join([item.type, value, " ".join((item.help or "").split())])


def _bash_words(line: str) -> tuple[list[str], bool]:
    """Return the words of a line, the last one incomplete, and whether that one is unquoted."""
    from click.shell_completion import split_arg_string

    words = split_arg_string(line)
    last = re.split(r"(?<!\\)\s", line)[-1]
    bare = last[:1] not in ("'", '"') and line.count('"') % 2 == 0 and line.count("'") % 2 == 0
    return ([*words, ""] if bare and not last else words), bare


def _for_bash(lines: Sequence[str], incomplete: str, bare: bool) -> Iterator[str]:
    """Yield candidates quoted for bash, without the part before a word break."""
    breaks = "".join(set(os.environ.get("_OPAI_BREAKS", "")) & set(":="))
    cut = max((incomplete.rfind(char) + 1 for char in breaks), default=0) if bare else 0
    for line in lines:
        kind, value, help_text = line.split("\t")
        quoted = _SPECIAL.sub(r"\\\1", value[cut:]) if bare else value
        yield "\t".join([kind, quoted, help_text])
