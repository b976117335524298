"""The documented fields: a schema for every command that shows data, named in its help."""

from __future__ import annotations

import json
from pathlib import Path

import click
from jsonschema import Draft202012Validator

from openpai.cli.commands import table as _root
from openpai.cli.framework.groups import OUTPUT
from openpai.core.cli.command import fields_of, output_schema

GROUPS = {name: group.table for name, group in _root.GROUPS.items()}
EVERY = {
    **{f"{group} {name}": lazy for group, table in GROUPS.items() for name, lazy in table.items()},
    **_root.SINGLES,
}
SHOWING = [
    name
    for name, lazy in EVERY.items()
    if any(param.name == "format_" for param in lazy.load().params)
]


def fields_in_help(opai, name: str) -> list[str]:
    """Return the fields that the help of a command names."""
    shown = opai(*name.split(), "-h").stdout.partition("Fields in JSON:")[2]
    return shown.replace(",", " ").split()


def test_output_schema_is_valid():
    """It is valid by itself."""
    Draft202012Validator.check_schema(output_schema(OUTPUT))
    text = Path(OUTPUT).read_text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_output_schema_covers_all_commands():
    """What scripts may rely on is written down for each of them, and for nothing else."""
    others = {"state", "task", "problem", "error"}
    assert set(output_schema(OUTPUT)["$defs"]) - others == set(SHOWING)


def test_help_lists_json_fields(opai):
    """Help shows what `-o json` brings."""
    documented = {name: fields for name in SHOWING if (fields := fields_of(name, OUTPUT))}
    assert {name: fields_in_help(opai, name) for name in documented} == documented


def test_help_of_contributed_command_lists_json_fields(opai):
    """Their schemas lie beside their commands."""
    shown = fields_in_help(opai, "storage list")
    assert shown == ["path", "type", "size", "modified", "mode"]


def test_name_format_is_offered():
    """`-o name` is there wherever rows have names; a job file has none."""
    without = []
    for name in SHOWING:
        format_ = next(param for param in EVERY[name].load().params if param.name == "format_")
        assert isinstance(format_.type, click.Choice)
        if "name" not in format_.type.choices:
            without.append(name)
    assert sorted(without) == ["job config", "job schema"]
