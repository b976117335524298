"""What the real ``docker`` makes of our command lines: the request that its daemon would get."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from openpai.core.execution.task_plan import Limits
from openpai.core.local.executor.docker import Docker
from openpai.core.local.executor.engine import Image, Mount, TaskScript, TaskSpec


@pytest.fixture
def created(needs, httpserver, tmp_path, monkeypatch):
    """Run ``docker create`` for a task against a daemon that only listens; return what it hears."""
    needs("docker")
    host = f"tcp://{httpserver.host}:{httpserver.port}"
    monkeypatch.setenv("DOCKER_HOST", host)
    ping = {"Api-Version": "1.41", "Ostype": "linux"}
    httpserver.expect_request("/_ping").respond_with_data("OK", headers=ping)
    httpserver.expect_request("/v1.41/containers/create").respond_with_json({"Id": "one"}, 201)
    folder = tmp_path / "with, comma"
    for part in ("steps", "logs", "work"):
        (folder / part).mkdir(parents=True)
    (folder / "job.yaml").write_text("name: job\n")
    task = TaskSpec(
        uid="6931ac06-d59f-4428-8142-9fad80e4499c",
        folder=folder,
        environment={"PAI_A-B_PORT": "1,2", "TEXT": "a b = 'c' \"d\" # e $f"},
        steps=[TaskScript("main", "true", "main", "fail")],
        mounts=[Mount("data", str(tmp_path), "/mnt/my data")],
        storages={"data": Path(tmp_path)},
        image=Image("ubuntu:22.04"),
        limits=Limits(cpu=1, memory_mb=512, gpu=2, shm_mb=64),
        gpus=[0, 2],
    )
    recipe = Docker().prepare(task, [])
    (words,) = (list(one.words) for one in recipe.commands if one.name == "creation")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    (request,) = (one for one, _ in httpserver.log if one.path.endswith("/containers/create"))
    assert request.args["name"] == "openpai-6931ac06-d59f-4428-8142-9fad80e4499c"
    return json.loads(request.get_data())


def test_create_request_describes_task(created, tmp_path):
    """Entry, image, variables with odd signs, limits, mounts with odd names, GPUs by number."""
    host = created["HostConfig"]
    assert (created["Image"], created["Entrypoint"]) == ("ubuntu:22.04", ["bash"])
    assert created["Cmd"] == ["/usr/local/pai/runtime.d/entry.sh"]
    assert {"PAI_A-B_PORT=1,2", "TEXT=a b = 'c' \"d\" # e $f"} <= set(created["Env"])
    assert host["Memory"] == host["MemorySwap"] == 512 * 1024 * 1024
    assert (host["ShmSize"], host["NetworkMode"]) == (64 * 1024 * 1024, "host")
    assert host["LogConfig"]["Type"] == "none"
    mounts = {mount["Target"]: mount for mount in host["Mounts"]}
    assert mounts["/mnt/my data"]["Source"] == str(tmp_path)
    scripts = mounts["/usr/local/pai/runtime.d"]
    assert (scripts["Source"], scripts["ReadOnly"]) == (f"{tmp_path}/with, comma/steps", True)
    (gpus,) = host["DeviceRequests"]
    assert gpus["DeviceIDs"] == ["0", "2"]
