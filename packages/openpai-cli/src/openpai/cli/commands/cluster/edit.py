"""The command ``opai cluster edit``."""

from __future__ import annotations

import click

from openpai.cli.framework import CliApp, command, pass_app

__all__ = [
    "edit",
]


@command("edit", examples="opai cluster edit\nopai cluster edit --editor 'code --wait'")
@click.option("--editor", metavar="COMMAND", help="The editor, if not $VISUAL or $EDITOR.")
@pass_app
def edit(app: CliApp, editor: str | None) -> None:
    """Open clusters.yaml in an editor.

    The file is read once more after that, and what is wrong with it is told.
    """
    from openpai.core.config import load_clusters
    from openpai.core.paths import home

    path = home() / "clusters.yaml"
    load_clusters()
    if not path.exists():
        raise click.ClickException("No cluster is known yet. Add one: opai cluster add")
    click.edit(filename=str(path), editor=editor)
    app.note(f"{path} knows {len(load_clusters())} clusters.")
