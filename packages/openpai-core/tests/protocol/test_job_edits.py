"""Edits by path."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from openpai.core.errors import ProtocolError
from openpai.core.protocol.edits import parse_path, parse_update, set_value
from openpai.core.protocol.job import Job
from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.protocol.source import same


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("name", ["name"]),
        ("taskRoles.worker.instances", ["taskRoles", "worker", "instances"]),
        ("commands[0]", ["commands", 0]),
        ("a[0][1].b", ["a", 0, 1, "b"]),
        (
            'extras."com.microsoft.pai.runtimeplugin"[0]',
            ["extras", "com.microsoft.pai.runtimeplugin", 0],
        ),
        ('a."x\\"y"', ["a", 'x"y']),
        ("parameters:lr", ["parameters", "lr"]),
        ("a:b:0", ["a", "b", "0"]),
        ("/a/b/0", ["a", "b", "0"]),
        ("/a~1b/~0c", ["a/b", "~c"]),
    ],
)
def test_path_syntaxes_are_equivalent(path, steps):
    """Dots and brackets, the old colons, JSON pointers."""
    assert parse_path(path) == steps


@pytest.mark.parametrize("path", ["", "a..b", "a.", "a[", "a[x]", "a[0]b", '"a', "]"])
def test_invalid_paths_are_refused(path):
    """The error says how to write a path."""
    with pytest.raises(ProtocolError) as caught:
        parse_path(path)
    assert "a.b[0].c" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=4", 4),
        ("a='4'", "4"),
        ("a=1e-4", 0.0001),
        ("a=yes", "yes"),
        ("a=[x, 2]", ["x", 2]),
        ("a={b: c}", {"b": "c"}),
        ("a=null", None),
        ("a=", ""),
        ("a=x=y", "x=y"),
        ("a=echo: [broken", "echo: [broken"),
    ],
)
def test_values_are_parsed_as_yaml(text, value):
    """Invalid YAML is a text."""
    assert parse_update(text) == (["a"], value)


def test_update_without_equals_sign_is_refused():
    """Without one nothing is set."""
    with pytest.raises(ProtocolError, match="sets nothing"):
        parse_update("a.b")


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ({}, "a.b", 1, {"a": {"b": 1}}),
        ({}, "a[0].b", 1, {"a": [{"b": 1}]}),
        ({}, "a:0:b", 1, {"a": [{"b": 1}]}),
        ({"a": ["x"]}, "a[1]", "y", {"a": ["x", "y"]}),
        ({"a": ["x"]}, "/a/-", "y", {"a": ["x", "y"]}),
        ({"a": ["x"]}, "a:0", "y", {"a": ["y"]}),
        ({"a": None}, "a.b", 1, {"a": {"b": 1}}),
        ({"a": {"0": 1}}, "a:0", 2, {"a": {"0": 2}}),
    ],
)
def test_missing_parents_are_created(before, path, value, after):
    """Mappings and lists on the way are made; a list grows at its end."""
    set_value(before, parse_path(path), value)
    assert before == after


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ({"a": "x"}, "a.b", "/a is a text: it has no 'b'"),
        ({"a": 5}, "a[0]", "/a is a number"),
        ({"a": ["x"]}, "a[3]", "a list of 1: '3' is none of its places"),
        ({"a": ["x"]}, "a.name", "'name' is none of its places"),
    ],
)
def test_mismatching_paths_are_refused(document, path, message):
    """The error names what is there."""
    with pytest.raises(ProtocolError, match=message.replace("[", r"\[")):
        set_value(document, parse_path(path), 1)


TEXT = """\
# A job of ours.
protocolVersion: 2
name: old   # the name
type: job
prerequisites:
  - {name: img, type: dockerimage, uri: 'a:1'}  # flow
taskRoles:
  worker:
    instances: 1
    # what it runs
    commands:
      - echo one  # first
      - |
        for i in 1 2; do
          echo $i
        done

    dockerImage: img
parameters: {lr: 0.1}
empty:
"""


def test_unchanged_job_keeps_text(job_files):
    """What was only read is written as it was."""
    for path in job_files:
        text = path.read_text(encoding="utf-8")
        assert Job.from_file(path).to_yaml().splitlines() == text.splitlines()


def test_problems_of_edited_job_have_new_places():
    """Lines of the text that was read could be those of something else."""
    job = Job.from_yaml(TEXT).set("taskRoles.worker.commands[2]", "date").set("empty", 5)
    (problem,) = [p for p in job.problems() if p.path == "/empty"]
    assert (problem.line, problem.column) == (None, None)


def test_changed_document_is_serialized_again():
    """A change past ``set`` is not lost: the text gives way."""
    job = Job.from_yaml(TEXT)
    job.document["name"] = "changed"
    assert "#" not in job.to_yaml()
    assert load_yaml(job.to_yaml())["name"] == "changed"
    job.set("type", "job")
    assert load_yaml(job.to_yaml())["name"] == "changed"


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-99, 99),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet="ab: #-'\n[],{}&*!|>%@", max_size=12),
    st.lists(st.sampled_from(["x", "a, b", 5]), max_size=2),
    st.dictionaries(st.sampled_from(["k", "a b", "1"]), st.sampled_from(["v", None]), max_size=2),
)


def _paths(value, path=()):
    if path:
        yield list(path)
    if isinstance(value, dict):
        yield [*path, "added"]
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        yield [*path, len(value)]
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


@given(data=st.data())
def test_random_edit_sets_value(job_files, data):
    """Whatever is set wherever, the text and the document stay one."""
    path = data.draw(st.sampled_from(job_files))
    job = Job.from_file(path)
    for _ in range(2):
        steps = data.draw(st.sampled_from(list(_paths(job.document))))
        job.set(steps, data.draw(_VALUES))
        assert same(load_yaml(job.to_yaml()), job.document)
