"""`opai job submit`: a job from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

FILE = """\
# a comment that stays here
protocolVersion: 2
name: from_file
type: job
parameters:
  code: 5
prerequisites:
  - {name: image, type: dockerimage, uri: img}
taskRoles:
  main:
    instances: 1
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - exit <% $parameters.code %>
"""


@pytest.fixture
def file():
    """A job file that ends with 5."""
    path = Path("job.yaml")
    path.write_text(FILE)
    return path


@pytest.mark.process
@pytest.mark.parametrize("how", [[], ["--config"]], ids=["FILE", "--config FILE"])
def test_submit_job_file(opai, local, file, how):
    """FILE and --config FILE are the same; --wait brings the job's own code."""
    result = opai("job", "submit", *how, file, "--name", "a_$", "--wait")
    assert result.exit_code == 5
    assert result.stdout.startswith("alice~a_")


@pytest.mark.process
def test_submit_from_stdin(opai, local, file):
    """A dash reads the job from stdin."""
    result = opai("job", "submit", "-", "--name", "b_$", "--wait", stdin=FILE)
    assert result.exit_code == 5


def test_submit_update_changes_values(opai, file):
    """--update sets values by a path in the old or a usual form, read as YAML."""
    result = opai(
        *("job", "submit", file, "--dry-run", "--vc", "research", "--name", "renamed"),
        *("-u", "parameters:code=6", "--update", "taskRoles.main.commands[0]=echo a=b"),
    )
    document = yaml.safe_load(result.stdout)
    assert document["name"] == "renamed"
    assert document["parameters"]["code"] == 6
    assert document["taskRoles"]["main"]["commands"] == ["echo a=b"]
    assert document["defaults"]["virtualCluster"] == "research"
    assert file.read_text() == FILE


def test_submit_virtual_cluster_of_file_overrides_default(opai, file):
    """A layered default fills a gap and overrides nothing."""
    opai("set", "virtual-cluster=research")
    dry = ("job", "submit", file, "--dry-run")
    assert "research" in opai(*dry).stdout
    file.write_text(FILE + "defaults: {virtualCluster: own}\n")
    assert "research" not in opai(*dry).stdout


@pytest.mark.process
def test_submit_completes_runtime_section(opai, local, file):
    """A section without a workspace gets mine, and its outputs are saved there."""
    file.write_text(
        FILE.replace("exit <% $parameters.code %>", "echo <% $parameters.code %> > out.txt")
        + "extras: {openpai.runtime: {version: 1, outputs: [{path: out.txt}]}}\n"
    )
    result = opai("job", "submit", file, "--name", "c_$", "--wait")
    assert result.exit_code == 0, result.stderr
    name = result.stdout.strip()
    assert opai("output", "list", name, "-o", "name").stdout == "out.txt\n"
    assert opai("output", "download", name, "out.txt", "--to", "here").exit_code == 0
    assert Path("here/out.txt").read_text() == "5\n"


@pytest.mark.process
def test_submit_adds_code(opai, local, file):
    """--src, --output and --pip mean the same as for `job sub`."""
    file.write_text(FILE.replace("exit <% $parameters.code %>", "cp given.txt kept.txt"))
    Path("given.txt").write_text("given")
    result = opai(
        *("job", "submit", file, "--name", "d_$", "--wait"),
        *("--src", "given.txt", "--output", "kept.txt"),
    )
    assert result.exit_code == 0, result.stderr
    assert "kept.txt" in opai("output", "list", result.stdout.strip()).stdout


@pytest.mark.process
def test_submit_hides_secrets(opai, local, file):
    """--dry-run masks secrets as the server does; they still reach the job."""
    file.write_text(
        FILE.replace("exit <% $parameters.code %>", "test <% $secrets.word %> = sesame")
        + "secrets:\n  word: sesame\n"
    )
    shown = opai("job", "submit", file, "--dry-run")
    assert shown.exit_code == 0
    assert "word: sesame" not in shown.stdout
    assert "******" in shown.stdout
    assert opai("job", "submit", file, "--name", "e_$", "--wait").exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "job.yaml"),
        ("just a text", "mapping"),
        ("protocolVersion: 2\nname: x\ntype: job\n", "taskRoles"),
        (FILE.replace("instances: 1", "instances: one"), "job.yaml:11"),
        (FILE.replace("$parameters.code", "$parameters.cod"), "cod"),
    ],
    ids=["no yaml", "no mapping", "no roles", "a text for a number", "an unknown parameter"],
)
def test_submit_reports_position_of_mistake(opai, local, file, text, said):
    """What is wrong, where, and 2; nothing is submitted."""
    before = opai("job", "list", "-o", "name").stdout
    file.write_text(text)
    result = opai("job", "submit", file)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert opai("job", "list", "-o", "name").stdout == before


def test_submit_errors_as_json(opai, file):
    """-o json lists every problem with path, line, column, message and hint."""
    import json

    file.write_text(FILE.replace("cpu: 1", "cpu: x").replace("gpu: 0", "gpu: y"))
    result = opai("job", "submit", file, "--dry-run", "-o", "json")
    problems = json.loads(result.stderr)["error"]["problems"]
    assert [problem["path"].rpartition("/")[2] for problem in problems] == ["cpu", "gpu"]
    assert {problem["line"] for problem in problems} == {13}


@pytest.mark.parametrize("arguments", [[], ["job.yaml", "--config", "job.yaml"], ["nowhere.yaml"]])
def test_submit_requires_one_file(opai, file, arguments):
    """None, two, or one that does not exist: 2."""
    assert opai("job", "submit", *arguments).exit_code == 2
