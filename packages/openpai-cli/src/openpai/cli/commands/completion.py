"""``opai completion``: the shell code that makes <Tab> work."""

from __future__ import annotations

import os
from pathlib import PurePath

import click

from openpai.cli._app import CliApp, pass_app
from openpai.cli._command import UsageProblem, command

SHELLS = ("bash", "zsh", "fish")


@command(
    "completion",
    examples="""
    eval "$(opai completion bash)"                              # in ~/.bashrc
    opai completion fish > ~/.config/fish/completions/opai.fish
    """,
)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@pass_app
def completion(app: CliApp, shell: str | None) -> None:
    """Print the code for <Tab> in your shell.

    Names of commands, options, clusters and jobs are completed. Without SHELL the one of $SHELL
    is taken.
    """
    from click.shell_completion import get_completion_class

    shell = shell or PurePath(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell) if shell in SHELLS else None
    if kind is None:
        raise UsageProblem("Which shell is not known.", f"Name one: {', '.join(SHELLS)}.")
    root = click.get_current_context().find_root().command
    app.console.data(kind(root, {}, "opai", "_OPAI_COMPLETE").source())
