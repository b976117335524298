"""``opai job validate``, ``render``, ``schema`` and ``diff``: no cluster is needed."""

from __future__ import annotations

import json

import pytest

JOB = """\
protocolVersion: 2
name: mini
type: job
prerequisites:
  - {name: img, type: dockerimage, uri: 'a:1'}
parameters: {lr: 1e-5}
taskRoles:
  worker:
    instances: 1
    dockerImage: img
    resourcePerInstance: {cpu: 1, memoryMB: 1024, gpu: 0}
    commands:
      - echo <% $parameters.lr %>
"""


@pytest.fixture
def file(tmp_path):
    """A job file that is right."""
    path = tmp_path / "job.yaml"
    path.write_text(JOB, encoding="utf-8")
    return path


@pytest.fixture
def broken(tmp_path):
    """A job file with three mistakes."""
    path = tmp_path / "broken.yaml"
    text = JOB.replace("instances: 1", "instances: one").replace("commands:", "comands:")
    path.write_text(text.replace("name: mini", "name: m n"), encoding="utf-8")
    return path


def test_validate_accepts_valid_file(opai, file):
    """One line on stdout, exit code 0."""
    result = opai("job", "validate", file)
    assert (result.exit_code, result.stdout) == (0, f"{file}: valid\n")


def test_validate_reports_all_mistakes(opai, broken):
    """File, line, column, what is wrong, what to do; exit code 2."""
    result = opai("job", "validate", broken)
    assert result.exit_code == 2
    worker = "/taskRoles/worker"
    number = "'instances' must be an integer, not the string 'one'."
    assert result.stdout.splitlines() == [
        f"{broken}:2:7: error: The name 'm n' has characters that a name must not have. (/name)",
        "    hint: Use letters, digits, '_' and '-' only.",
        f"{broken}:9:16: error: {number} ({worker}/instances)",
        "    hint: Write an integer.",
        f"{broken}:12:5: error: 'comands' is not a key of task role 'worker'. ({worker}/comands)",
        "    hint: Did you mean 'commands'?",
    ]


def test_validate_as_json(opai, file, broken, tmp_path):
    """One object for each file, in their order; a missing file is an object too."""
    missing = tmp_path / "missing.yaml"
    result = opai("job", "validate", file, broken, missing, "-o", "json")
    assert result.exit_code == 2
    good, bad, none = result.json
    assert good == {"file": str(file), "valid": True, "errors": []}
    assert (bad["file"], bad["valid"]) == (str(broken), False)
    assert bad["errors"][1] == {
        "path": "/taskRoles/worker/instances",
        "line": 9,
        "column": 16,
        "message": "'instances' must be an integer, not the string 'one'.",
        "hint": "Write an integer.",
    }
    assert none["errors"][0]["message"] == "The file cannot be read: No such file or directory."


def test_validate_no_strict_gives_verdict_of_server(opai, file):
    """What the server takes is valid then, whatever becomes of it."""
    file.write_text(JOB.replace("worker:", "Work_er:"), encoding="utf-8")
    assert opai("job", "validate", file).exit_code == 2
    assert opai("job", "validate", file, "--no-strict").exit_code == 0


def test_render_prints_scripts_of_server(opai, file):
    """The script alone for people, file and task roles for machines."""
    assert opai("job", "render", file).stdout == "echo 0.00001\n"
    result = opai("job", "render", file, "-o", "json")
    assert result.json == [{"file": str(file), "taskRoles": {"worker": "echo 0.00001"}}]


def test_render_reports_errors(opai, file, broken):
    """The other files are rendered; exit code 2."""
    result = opai("job", "render", broken, file, "-o", "json")
    assert result.exit_code == 2
    assert result.json[0]["taskRoles"] == {}
    assert len(result.json[0]["errors"]) == 3
    assert result.json[1]["taskRoles"] == {"worker": "echo 0.00001"}
    result = opai("job", "render", broken)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'commands'?" in result.stderr


def test_render_single_task_role(opai, file):
    """An unknown one suggests the nearest."""
    assert opai("job", "render", file, "--role", "worker").stdout == "echo 0.00001\n"
    result = opai("job", "render", file, "--role", "wroker")
    assert (result.exit_code, "worker" in result.stderr) == (2, True)


def test_schema_is_json_schema(opai, file):
    """JSON Schema on stdout, with descriptions, and it accepts a right job."""
    import jsonschema

    from openpai.core.protocol.job_yaml import load_yaml

    schema = json.loads(opai("job", "schema").stdout)
    jsonschema.validate(load_yaml(JOB), schema, cls=jsonschema.Draft7Validator)
    assert "description" in schema["properties"]["taskRoles"]
    assert load_yaml(opai("job", "schema", "-o", "yaml").stdout)["title"] == schema["title"]


def test_diff_compares_values(opai, file, tmp_path):
    """Pointers and values that differ; exit code 1, or 0 where nothing does."""
    other = tmp_path / "other.yaml"
    other.write_text("# a remark\n" + JOB.replace("mini", "'mini'"), encoding="utf-8")
    assert opai("job", "diff", file, other).exit_code == 0
    other.write_text(JOB.replace("mini", "maxi"), encoding="utf-8")
    result = opai("job", "diff", file, other)
    assert (result.exit_code, result.stdout) == (1, "/name\n- mini\n+ maxi\n")
    result = opai("job", "diff", file, other, "-o", "json")
    assert result.json == [{"path": "/name", "kind": "changed", "before": "mini", "after": "maxi"}]


def test_diff_requires_two_sides(opai, file):
    """One file alone is wrong usage; a file that is not a job is reported."""
    assert opai("job", "diff", file).exit_code == 2
    file.write_text("a: [", encoding="utf-8")
    result = opai("job", "diff", file, file)
    assert (result.exit_code, "line 2" in result.stderr) == (2, True)
