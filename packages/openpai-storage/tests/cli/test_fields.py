"""What ``-o json`` writes is what the schema beside the commands says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

jsonschema = pytest.importorskip("jsonschema")
pytest.importorskip("click", reason="the commands run in opai, which brings click")

from openpai.core.cli.command import output_schema  # noqa: E402 - it takes click
from openpai.storage.cli import storage  # noqa: E402
from openpai.storage.cli._options import OUTPUT  # noqa: E402

Opai = Callable[..., Any]

SCHEMA = output_schema(OUTPUT)
SHOWING = [
    name
    for name, command in storage.commands.items()
    if any("-o" in param.opts for param in command.params)
]


def check(name: str, written: object) -> None:
    """Fail unless something is what the schema says of a command, and nothing that is empty."""
    assert written
    wanted = {**SCHEMA, "$ref": f"#/$defs/storage {name}"}
    jsonschema.Draft202012Validator(wanted).validate(written)


@pytest.fixture
def written(opai: Opai, app: Any) -> Callable[[str], str]:
    """Return a function that runs ``opai storage``, and returns what was written, at any end."""
    from click.testing import CliRunner

    return lambda line: str(
        CliRunner().invoke(storage, [*line.split(), "-o", "json"], obj=app).stdout
    )


@pytest.fixture
def tree(root: Path, opai: Opai) -> Path:
    """Return a tree on this machine, part of which is on the storage, one file otherwise."""
    here = Path("tree")
    (here / "below").mkdir(parents=True)
    for name in ("new", "same", "other", "below/file"):
        (here / name).write_text(name)
    opai("upload", "tree", "main:/tree")
    (root / "tree" / "new").unlink()
    (root / "tree" / "other").write_text("changed meanwhile")
    (root / "tree" / "surplus").write_text("surplus")
    return here


def test_output_schema_covers_all_commands() -> None:
    """And no other has."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    documented = {name for name in SCHEMA["$defs"] if name.startswith("storage ")}
    assert documented == {f"storage {name}" for name in SHOWING}
    assert Path(OUTPUT).read_text() == json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    "command",
    [
        "list-storage",
        "list main:/ -r",
        "status main:/tree/same",
        "status main:/tree",
        "du main:/ main:/tree",
        "check tree main:/tree",
        "bench main --size 1 --files 2",
    ],
)
def test_output_matches_schema(written: Callable[[str], str], tree: Path, command: str) -> None:
    """Of files, folders, differences and measurements."""
    check(command.split(maxsplit=1)[0], json.loads(written(command)))


@pytest.mark.parametrize(
    "command",
    [
        "upload tree main:/tree --overwrite",
        "upload tree main:/tree --dry-run",
        "upload tree main:/tree",
        "download main:/tree back",
        "download main:/tree back --dry-run",
        "sync tree main:/tree --delete",
        "sync tree main:/tree --delete --dry-run",
        "copy main:/tree main:/copy",
        "copy main:/tree main:/copy --dry-run",
    ],
)
def test_json_lines_match_schema(written: Callable[[str], str], tree: Path, command: str) -> None:
    """One object a line, for what is done as for what would be, and for what is refused."""
    lines = written(command).splitlines()
    assert len(lines) >= 2
    for line in lines:
        check(command.split(maxsplit=1)[0], json.loads(line))
