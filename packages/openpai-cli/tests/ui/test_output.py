"""Writing data in the four formats."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
import yaml

from openpai.cli.ui.console import Console
from openpai.cli.ui.output import emit

COLUMNS = [("NAME", "name"), ("WHEN", "when"), ("TOOK", "took"), ("TAGS", "tags")]
ROW = {
    "name": "job-1",
    "when": datetime(2026, 3, 1, tzinfo=timezone.utc),
    "took": timedelta(seconds=65),
    "tags": ("a", "b"),
    "hidden": None,
}


@pytest.fixture
def write(capsys):
    """Emit data and return what came out."""

    def call(data, output, **options):
        emit(Console({}), data, columns=COLUMNS, format=output, **options)
        return capsys.readouterr().out

    return call


def test_table_has_only_its_columns(write):
    """A table in a pipe has exact times and no colour."""
    assert write([ROW], "table").splitlines() == [
        "NAME   WHEN                   TOOK  TAGS",
        "job-1  2026-03-01T00:00:00Z  1m 5s  a, b",
    ]


def test_table_without_rows_is_empty(write):
    """No rows, no header: a script that counts lines counts nothing."""
    assert write([], "table") == ""


def test_json_of_rows_is_list(write):
    """A list with one row on each line, all keys, times as texts, durations in seconds."""
    text = write([ROW, ROW], "json")
    assert len(text.splitlines()) == 2
    assert json.loads(text)[0] == {
        "name": "job-1",
        "when": "2026-03-01T00:00:00Z",
        "took": 65.0,
        "tags": ["a", "b"],
        "hidden": None,
    }


def test_json_of_single_row_is_object(write):
    """One thing is one object, not a list of one."""
    assert json.loads(write(ROW, "json"))["name"] == "job-1"


def test_json_of_no_rows_is_empty_list(write):
    """A script can always parse what it gets."""
    assert json.loads(write([], "json")) == []


def test_yaml_has_values_of_json(write):
    """YAML holds the very values that JSON holds."""
    assert yaml.safe_load(write([ROW], "yaml"))[0]["took"] == 65.0


def test_name_format_prints_first_column(write):
    """One name a line, ready for xargs."""
    assert write([ROW, {**ROW, "name": "job-2"}], "name") == "job-1\njob-2\n"


def test_table_escapes_control_characters(write):
    """A name that tries to steer the terminal is shown spelled out."""
    out = write([{**ROW, "name": "a\x1b[31mred\nnext"}], "table")
    assert "\x1b" not in out
    assert "a\\x1b[31mred next" in out


def test_emit_writes_nothing_when_rows_fail(write, capsys):
    """An error in the middle of the data leaves stdout empty."""

    def rows():
        yield ROW
        raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        write(rows(), "json")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("form", ["json", "yaml", "name", "table"])
def test_pages_equal_single_page(write, form):
    """However many pages the rows take, what is written is what one page would have."""
    rows = [{**ROW, "name": f"job-{number:03}"} for number in range(25)]
    whole = write(iter(rows), form)
    assert write(iter(rows), form, page_size=10) == whole


def test_pages_are_written_before_all_rows_are_read(write, capsys):
    """Of very many rows the first are written before the last are known."""

    def rows():
        yield from ({**ROW, "name": f"job-{number}"} for number in range(30))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        write(rows(), "name", page_size=10)
    assert capsys.readouterr().out.splitlines() == [f"job-{number}" for number in range(20)]
