"""The examples of the mission work as they are written."""

from __future__ import annotations

import json

import pytest

JOB = """\
protocolVersion: 2
name: from-file
type: job
prerequisites:
  - {name: image, type: dockerimage, uri: "python:3.11"}
taskRoles:
  worker:
    instances: 2
    dockerImage: image
    resourcePerInstance: {cpu: 1, memoryMB: 64, gpu: 0}
    commands:
      - echo task $PAI_CURRENT_TASK_ROLE_CURRENT_TASK_INDEX of $PAI_JOB_NAME
"""


@pytest.mark.usefixtures("local_cluster")
def test_job_submit_and_list(opai):
    """Opai job submit --config FILE, then opai job list."""
    (opai.folder / "job.yaml").write_text(JOB)
    submitted = opai("job", "submit", "--config", "job.yaml")
    assert submitted.stdout.strip().endswith("~from-file")
    opai("job", "wait", "from-file")
    assert "from-file" in opai("job", "list").stdout
    listed = json.loads(opai("job", "list", "-o", "json").stdout)
    assert [(job["name"], job["state"]) for job in listed] == [("from-file", "SUCCEEDED")]
    lines = opai("job", "logs", "from-file").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("task 0 of " + submitted.stdout.strip())


@pytest.mark.usefixtures("local_cluster")
def test_job_sub_gets_gpu(opai):
    """Opai job sub --image IMAGE --gpu 1 COMMAND, on a cluster with one GPU."""
    followed = opai(
        *("job", "sub", "--image", "python:3.11", "--gpu", "1", "--follow"),
        *("printenv", "CUDA_VISIBLE_DEVICES"),
    )
    assert "0" in followed.stdout.splitlines()


@pytest.mark.usefixtures("local_cluster")
def test_storage_upload_list_and_download(opai):
    """Opai storage upload, list and download."""
    (opai.folder / "data").mkdir()
    (opai.folder / "data" / "one.txt").write_text("one\n")
    opai("storage", "upload", "data", "/data")
    assert "one.txt" in opai("storage", "list", "/data").stdout
    opai("storage", "download", "/data", "back")
    assert (opai.folder / "back" / "one.txt").read_text() == "one\n"


@pytest.mark.usefixtures("local_cluster")
def test_job_sub_sends_code_and_saves_outputs(opai):
    """--src sends the code, --output saves what it made, output download brings it here."""
    source = opai.folder / "src"
    source.mkdir()
    (source / "train.py").write_text("open('model.txt', 'w').write('weights')\n")
    opai(
        *("job", "sub", "--image", "python:3.11", "--name", "train", "--src", "src"),
        *("--output", "model.txt", "--wait", "--", "python3", "src/train.py"),
    )
    opai("output", "download", "train", "--to", "out")
    assert [p.read_text() for p in (opai.folder / "out").rglob("model.txt")] == ["weights"]


@pytest.mark.usefixtures("local_cluster")
def test_job_sub_exits_with_code_of_job(opai):
    """Scripts can rely on it."""
    opai("job", "sub", "--image", "x:1", "--follow", "--", "bash", "-c", "exit 7", code=7)
