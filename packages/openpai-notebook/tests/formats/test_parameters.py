"""Parameters, as papermill reads them."""

from __future__ import annotations

import math

import nbformat
import pytest

from openpai.notebook.errors import InvalidNotebookError
from openpai.notebook.execute.main import parse_parameter_lines
from openpai.notebook.formats.nbformat4 import load_notebook
from openpai.notebook.formats.parameters import (
    check_parameters,
    declared_parameters,
    infer_value,
    inject,
    parse_assignment,
)

TEXTS = [
    ("3", 3),
    ("-3", -3),
    ("0.1", 0.1),
    ("1e-4", 1e-4),
    ("True", True),
    ("False", False),
    ("None", None),
    ("true", "true"),
    ("", ""),
    ("adam", "adam"),
    ("1.2.3", "1.2.3"),
    ("[1]", "[1]"),
]


@pytest.mark.parametrize(("text", "value"), TEXTS)
def test_infer_reads_values(text, value):
    """A text becomes the value that papermill makes of it."""
    assert infer_value(text) == value
    assert type(infer_value(text)) is type(value)


def tagged(source, tag):
    """Return a code cell with a tag."""
    return {
        "cell_type": "code",
        "metadata": {"tags": [tag]},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def test_inject_adds_cell_after_defaults(make_notebook):
    """The values go into a cell of their own right after the tagged one."""
    path = make_notebook("import os", tagged("lr = 1", "parameters"), "print(lr)")
    notebook = inject(load_notebook(path), {"lr": 0.1, "name": "it's"})
    assert [cell["source"] for cell in notebook["cells"]] == [
        "import os",
        "lr = 1",
        '# Parameters\nlr = 0.1\nname = "it\'s"',
        "print(lr)",
    ]
    assert notebook["cells"][2]["metadata"]["tags"] == ["injected-parameters"]
    nbformat.validate(nbformat.from_dict(notebook))


def test_inject_without_defaults_adds_first_cell(make_notebook):
    """A notebook without defaults gets its values before everything else."""
    notebook = inject(load_notebook(make_notebook("print(lr)")), {"lr": 1})
    assert [cell["source"] for cell in notebook["cells"]] == ["# Parameters\nlr = 1", "print(lr)"]


def test_inject_replaces_earlier_injection(make_notebook):
    """Values of an earlier run do not stay beside the new ones."""
    path = make_notebook(tagged("lr = 1", "parameters"), tagged("lr = 2", "injected-parameters"))
    notebook = inject(load_notebook(path), {"lr": 3})
    assert [cell["source"] for cell in notebook["cells"]] == ["lr = 1", "# Parameters\nlr = 3"]


def test_inject_without_values_changes_nothing(make_notebook):
    """A notebook without values is left alone."""
    notebook = load_notebook(make_notebook("1"))
    assert inject(notebook, {}) is notebook


VALUES = [
    None,
    True,
    -1,
    10**30,
    0.1,
    math.inf,
    "a\n'\"\\",
    [1, [2.5, None]],
    {"k": {"x": [True]}},
    (1, 2),
]


@pytest.mark.parametrize("value", VALUES)
def test_inject_writes_equal_value(make_notebook, value):
    """Running the injected cell gives the very value."""
    cell = inject(load_notebook(make_notebook("1")), {"x": value})["cells"][0]
    scope: dict = {}
    exec(cell["source"], scope)
    assert scope["x"] == (list(value) if isinstance(value, tuple) else value)


def test_inject_writes_nan(make_notebook):
    """NaN, which Python's repr does not write as source, arrives as NaN."""
    scope: dict = {}
    exec(inject(load_notebook(make_notebook("1")), {"x": math.nan})["cells"][0]["source"], scope)
    assert math.isnan(scope["x"])


def test_declared_parameters_reads_tagged_cell(make_notebook):
    """The tagged cell's assignments are known, also with annotations."""
    source = "# defaults\nlr = 0.1\nepochs: int = 3\na, b = 1, 2\nif lr: c = 1"
    notebook = load_notebook(make_notebook(tagged(source, "parameters")))
    assert declared_parameters(notebook) == ["lr", "epochs"]
    assert declared_parameters(load_notebook(make_notebook("x = 1"))) == []


@pytest.mark.parametrize("name", ["", "a b", "class", "1x", "a-b"])
def test_check_parameters_refuses_invalid_name(make_notebook, name):
    """A name that cannot be assigned is refused."""
    with pytest.raises(InvalidNotebookError, match="cannot be the name"):
        check_parameters(load_notebook(make_notebook("1")), {name: 1})


def test_check_parameters_refuses_value_outside_json(make_notebook):
    """A value that JSON does not have is refused with its name and type."""
    with pytest.raises(InvalidNotebookError, match="'x' holds a set"):
        check_parameters(load_notebook(make_notebook("1")), {"x": {1}})


def test_check_parameters_refuses_other_language(make_notebook):
    """Values cannot be written into a notebook of another language."""
    metadata = {"kernelspec": {"name": "ir", "language": "R"}}
    with pytest.raises(InvalidNotebookError, match="this one is r"):
        check_parameters(load_notebook(make_notebook("1", metadata=metadata)), {"x": 1})


def test_parse_assignment_splits_at_first_equals_sign():
    """NAME=VALUE is split at the first equals sign."""
    assert parse_assignment("a=b=c") == ("a", "b=c")
    with pytest.raises(InvalidNotebookError, match="NAME=VALUE"):
        parse_assignment("lr")
    with pytest.raises(InvalidNotebookError, match="cannot be the name"):
        parse_assignment("learning-rate=1")


def test_parse_parameter_lines_reads_values():
    """Each line says how its value is read."""
    lines = ["float lr 1", 'json n {"a": [null]}', "text s  two  spaces", "text empty "]
    assert parse_parameter_lines(lines) == {
        "lr": 1.0,
        "n": {"a": [None]},
        "s": " two  spaces",
        "empty": "",
    }


@pytest.mark.parametrize("line", ["float lr abc", "json x {", "number x 1", "text"])
def test_parse_parameter_lines_refuses_broken_line(line):
    """A line that does not say a value is named."""
    with pytest.raises(InvalidNotebookError, match="KIND NAME VALUE"):
        parse_parameter_lines([line])
