"""The documented fields: a schema for every command that shows data, named in its help."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from openpai.cli import _root
from openpai.cli._command import OUTPUT
from openpai.core.command_help import fields_of, output_schema

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


def test_the_schema_is_one():
    """It is valid by itself."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(output_schema(OUTPUT))
    text = Path(OUTPUT).read_text()
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", SHOWING)
def test_every_command_that_shows_data_has_a_schema(name):
    """What scripts may rely on is written down for each of them."""
    assert name in output_schema(OUTPUT)["$defs"]


def test_no_schema_is_of_a_command_that_is_gone():
    """What is documented exists."""
    others = {"state", "task", "problem", "error"}
    assert set(output_schema(OUTPUT)["$defs"]) - others == set(SHOWING)


@pytest.mark.parametrize("name", [name for name in SHOWING if fields_of(name, OUTPUT)])
def test_help_names_the_fields(opai, name):
    """Whoever asks for help sees what `-o json` brings."""
    told = opai(*name.split(), "-h").stdout.partition("Fields in JSON:")[2]
    assert told.replace(",", " ").split() == fields_of(name, OUTPUT)


def test_help_names_the_fields_of_what_others_bring(opai):
    """Their schemas lie beside their commands."""
    told = opai("storage", "list", "-h").stdout.partition("Fields in JSON:")[2]
    assert told.replace(",", " ").split() == ["path", "type", "size", "modified", "mode"]


@pytest.mark.parametrize("name", SHOWING)
def test_names_can_be_had_for_pipes(name):
    """`-o name` is there wherever rows have names; a job file has none."""
    format_ = next(param for param in EVERY[name].load().params if param.name == "format_")
    assert isinstance(format_.type, click.Choice)
    assert ("name" in format_.type.choices) == (name not in ("job schema", "job config"))
