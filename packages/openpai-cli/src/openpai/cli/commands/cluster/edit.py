"""The command ``opai cluster edit``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "edit",
]


@command(
    "edit",
    help="The file is validated when the editor is closed.",
    examples="opai cluster edit\nopai cluster edit --editor 'code --wait'",
)
@click.option("--editor", metavar="COMMAND", help="Editor command.  [default: $VISUAL or $EDITOR]")
@pass_app
def edit(app: CliApp, editor: str | None) -> None:
    from openpai.core.config import load_clusters
    from openpai.core.paths import home

    path = home() / "clusters.yaml"
    load_clusters()
    if not path.exists():
        raise click.ClickException("No clusters yet. Add one: opai cluster add")
    click.edit(filename=str(path), editor=editor)
    app.note(f"{path} has {len(load_clusters())} clusters.")
