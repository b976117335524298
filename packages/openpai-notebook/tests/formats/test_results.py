"""Values that a notebook hands back."""

from __future__ import annotations

import json

import pytest

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.formats.results import RESULTS_FILE, record, recorded, recorded_lines


def test_recorded_reads_outputs():
    """The last value of a name counts, over all cells."""

    def cell(**values):
        data = {"application/vnd.openpai.result+json": values, "text/plain": ""}
        output = {"output_type": "display_data", "data": data, "metadata": {}}
        stream = {"output_type": "stream", "name": "stdout", "text": "x"}
        return {"cell_type": "code", "source": "x", "outputs": [stream, output]}

    assert recorded({"cells": [cell(a=1, b=[2]), cell(a={"x": None})]}) == {
        "a": {"x": None},
        "b": [2],
    }


def test_record_in_script_writes_file(tmp_path, monkeypatch):
    """Outside a notebook values go to the file that the job names."""
    file = tmp_path / "results.jsonl"
    monkeypatch.setenv(RESULTS_FILE, str(file))
    record("a", 1)
    record("a", "ä")
    assert recorded_lines(file.read_text()) == {"a": "ä"}
    assert [json.loads(line) for line in file.read_text().splitlines()] == [{"a": 1}, {"a": "ä"}]


def test_record_outside_job_writes_nothing(monkeypatch, capsys):
    """On a laptop, outside a notebook, recording does nothing and prints nothing."""
    monkeypatch.delenv(RESULTS_FILE, raising=False)
    record("a", 1)
    assert capsys.readouterr() == ("", "")


def test_record_refuses_value_outside_json():
    """A value that JSON does not have is named."""
    with pytest.raises(InvalidNotebookError, match="'a' cannot be recorded"):
        record("a", object())
