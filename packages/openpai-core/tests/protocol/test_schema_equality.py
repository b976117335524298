"""The JSON Schema of a job: what editors get, and what jobs are checked against."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
from hypothesis import given, strategies as st

from openpai.core.protocol.job_yaml import load_yaml
from openpai.core.protocol.schema import editor_schema, job_schema, schema_errors


def test_schemas_are_valid_json_schema():
    """Both schemas keep to draft 7."""
    jsonschema.Draft7Validator.check_schema(job_schema())
    jsonschema.Draft7Validator.check_schema(editor_schema())


def test_every_key_is_described():
    """Each key of a job has a sentence that an editor can show."""
    undescribed = []

    def visit(schema, path):
        for name, part in schema.get("properties", {}).items():
            if isinstance(part, dict):
                if not ({"description", "$ref"} & set(part)) and part.get("type") != "object":
                    undescribed.append([*path, name])
                visit(part, [*path, name])
        for part in schema.get("patternProperties", {}).values():
            visit(part, [*path, "*"])
        for index, part in enumerate(schema.get("items", {}).get("oneOf", [])):
            visit(part, [*path, str(index)])

    visit(job_schema(), [])
    assert undescribed == []


def test_schema_accepts_what_server_accepts(corpus):
    """The keywords as AJV reads them and jsonschema's own agree on the whole corpus."""
    validator = jsonschema.Draft7Validator(job_schema())
    compared = 0
    for entry in corpus:
        # To Python's re "$" also matches before a line break at the end; ECMA 262's does not.
        if entry.get("failed_in") == "yaml" or entry["id"].startswith("mini:name:'a\\n'"):
            continue
        document = load_yaml(entry["yaml"])
        try:
            document = json.loads(json.dumps(document, allow_nan=False))
        except (TypeError, ValueError):
            continue  # dates, bytes and infinite numbers are no JSON
        assert validator.is_valid(document) == (schema_errors(document, job_schema()) == []), entry[
            "id"
        ]
        compared += 1
    assert compared > 950


_VALUES = st.sampled_from(
    [None, True, 0, 1, -1, 2, 1.5, 2.0, "", "a", "2", "job", "data", [], ["a"], [1], {}, {"a": 1}]
)
_KEYS = st.sampled_from(
    ["a", "1a", "name", "type", "uri", "auth", "instances", "ports", "preCommands", "x-y"]
)


def _paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, (dict, list)):
        for key, item in items if isinstance(value, (dict, list)) else ():
            yield from (
                _paths(item, (*path, key)) if isinstance(item, (dict, list)) else [(*path, key)]
            )


@pytest.fixture(scope="module")
def full(corpus):
    """A job with every key there is."""
    return next(entry["parsed"] for entry in corpus if entry["id"] == "full:valid")


@given(data=st.data())
def test_schema_and_checker_agree_on_random_jobs(full, data):
    """Whatever is where, the keywords as AJV reads them and jsonschema's own agree."""
    document = copy.deepcopy(full)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in _paths(document) if p]))
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        kind = data.draw(st.sampled_from(["set", "delete", "add"]))
        if kind == "set":
            holder[path[-1]] = copy.deepcopy(data.draw(_VALUES))
        elif kind == "delete":
            del holder[path[-1]]
        elif isinstance(holder, dict):
            holder[data.draw(_KEYS)] = copy.deepcopy(data.draw(_VALUES))
    validator = jsonschema.Draft7Validator(job_schema())
    assert validator.is_valid(document) == (schema_errors(document, job_schema()) == [])


def test_job_schema_returns_a_copy():
    """A change of the returned schema does not change the next one."""
    job_schema()["properties"].clear()
    assert job_schema()["properties"]


def test_editor_schema_contains_runtime_section():
    """``extras["openpai.runtime"]`` is completed and checked by editors too."""
    schema = editor_schema()
    section = schema["properties"]["extras"]["properties"]["openpai.runtime"]
    assert "workspace" in section["properties"]
    assert "openpai.runtime" not in job_schema()["properties"]["extras"]["properties"]
