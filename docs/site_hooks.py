"""What mkdocs cannot do by itself: the command reference, and links to files of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
#: a link out of docs/, to a file of the checkout
OUTSIDE = re.compile(r"\]\(\.\./((?:packages|examples|tests|benchmarks)/[^)#\s]+\.\w+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of all commands, and the files of the repository that pages link to."""
    files.append(File.generated(config, "reference/commands.md", content=command_reference()))
    linked = {
        path for file in ROOT.glob("docs/**/*.md") for path in OUTSIDE.findall(file.read_text())
    }
    for path in sorted(linked):
        files.append(
            File.generated(config, f"repository/{path}.txt", abs_src_path=str(ROOT / path))
        )
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Let links to files of the repository lead to their copies in the site."""
    return OUTSIDE.sub(r"](repository/\1.txt)", markdown)


def command_reference() -> str:
    """Return a page with the help of every command, as ``opai COMMAND -h`` prints it."""
    from openpai.cli.commands.table import opai

    lines = [
        "# All commands",
        "",
        "What `opai COMMAND -h` prints. [The command line](../cli.md) tells what they share.",
    ]
    with opai.make_context("opai", ["cluster"], resilient_parsing=True) as context:
        for path, command, inner in commands(opai, context, "opai"):
            level = min(path.count(" ") + 2, 4)
            lines += ["", f"{'#' * level} {path}", "", "```text", command.get_help(inner), "```"]
    return "\n".join(lines) + "\n"


def commands(
    group: click.Group, context: click.Context, path: str
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield every command below a group: its words, itself, and a context for its help."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        words = f"{path} {name}"
        inner = click.Context(command, info_name=name, parent=context, terminal_width=100)
        yield words, command, inner
        if isinstance(command, click.Group):
            yield from commands(command, inner, words)
