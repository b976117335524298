"""``opai notebook``; a command is imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

from openpai.core.cli import CONTEXT_SETTINGS

__all__ = ["notebook"]

_COMMANDS = ("submit", "connect")


class _Notebook(click.Group):
    """The group, whose commands lie in modules of their names."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; ``None``: there is none of this name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{cmd_name}"), cmd_name)
        return command


@click.group(cls=_Notebook, context_settings=CONTEXT_SETTINGS)
def notebook() -> None:
    """Run notebooks as jobs and get them back executed."""
