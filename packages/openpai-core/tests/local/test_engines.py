"""Commands of container engines; tests/integration/engines runs them."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from openpai.core.errors import ConfigError
from openpai.core.execution.task_plan import Limits
from openpai.core.local import LocalCluster
from openpai.core.local.executor.apptainer import Apptainer
from openpai.core.local.executor.docker import Docker, Podman, full_name
from openpai.core.local.executor.engine import Image, Mount, TaskScript, TaskSpec
from openpai.core.local.executor.task_spec import image_of


@pytest.fixture
def spec(tmp_path):
    """Return a function that makes a task whose folder is as the launcher leaves it."""
    folder = tmp_path / "task, one"
    for part in ("steps", "logs", "work"):
        (folder / part).mkdir(parents=True)
    (folder / "job.yaml").write_text("name: job\n")

    def make(**differences):
        values = {
            "uid": "the-uid",
            "folder": folder,
            "environment": {"FC_POD_UID": "the-uid", "A-B": "x y", "SECRET": "hush"},
            "steps": [TaskScript("main", "echo hi", "main", "fail")],
            "mounts": [Mount("data", "/some/data", "/data")],
            "storages": {"data": Path("/some/data"), "other": Path("/some/other")},
            "image": Image("ubuntu:22.04"),
            "limits": Limits(cpu=1, memory_mb=512, gpu=0, shm_mb=64),
            **differences,
        }
        return TaskSpec(**values)

    return make


def _words(engine, task, name):
    recipe = engine.prepare(task, [task.folder / "steps" / "0-main.sh"])
    (found,) = (list(command.words) for command in recipe.commands if command.name == name)
    return found


def _after(words, option):
    return [words[number + 1] for number, word in enumerate(words) if word == option]


@pytest.mark.parametrize("engine", [Docker(), Podman()], ids=["docker", "podman"])
def test_container_gets_task_resources(engine, spec, monkeypatch):
    """Memory without swap, CPUs, shared memory, the host's network, and folders with odd names."""
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    task = spec()
    words = _words(engine, task, "creation")
    assert words[:4] == [engine.name, "create", "--name", "openpai-the-uid"]
    assert _after(words, "--memory") == _after(words, "--memory-swap") == ["512m"]
    assert _after(words, "--shm-size") == ["64m"]
    assert _after(words, "--pids-limit") == ["4096"]
    assert _after(words, "--cpus") == ["1"]
    assert _after(words, "--network") == ["host"]
    mounts = _after(words, "--mount")
    assert "type=bind,source=/some/data,target=/data" in mounts
    assert "type=bind,source=/some/other,target=/usr/local/pai/storages/other" in mounts
    scripts = f'"source={task.folder}/steps"'
    assert f"type=bind,{scripts},target=/usr/local/pai/runtime.d,readonly" in mounts
    assert words[-2:] == ["ubuntu:22.04", "/usr/local/pai/runtime.d/entry.sh"]


def test_cpu_request_is_capped_at_machine(spec, monkeypatch):
    """Docker would refuse them; a local cluster may pretend to have more."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert "--cpus" not in _words(Docker(), spec(), "creation")


def test_variables_are_in_private_file(spec):
    """Nothing of them is on a command line; the file is the owner's alone."""
    task = spec()
    recipe = Docker().prepare(task, [])
    assert not any("hush" in word for command in recipe.commands for word in command.words)
    file = task.folder / "environment"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text().splitlines()
    assert {"A-B=x y", "SECRET=hush"} <= set(lines)
    assert "OPENPAI_JOB_CONFIG=/usr/local/pai/runtime.d/job_config.yaml" in lines
    reported = next(line for line in lines if line.startswith("OPENPAI_STORAGES="))
    assert json.loads(reported.partition("=")[2])["data"] == "/data"


def test_gpus_are_passed_to_container(spec):
    """Docker takes their numbers in quotes of their own, podman the names of the CDI."""
    task = spec(gpus=[0, 2])
    assert _after(_words(Docker(), task, "creation"), "--gpus") == ['"device=0,2"']
    devices = _after(_words(Podman(), task, "creation"), "--device")
    assert devices == ["nvidia.com/gpu=0", "nvidia.com/gpu=2"]
    assert "--nv" in _words(Apptainer(), task, "main")
    assert "--nv" not in _words(Apptainer(), spec(), "main")


def test_registry_password_is_in_private_file(spec):
    """As `docker login` keeps it, for this task only; podman gets the same file."""
    task = spec(image=Image("reg.example/team/image:1", "ann", "hush", "reg.example"))
    docker, podman = _words(Docker(), task, "image"), _words(Podman(), task, "image")
    folder = task.folder / "registry"
    assert docker[-5:] == ["--config", str(folder), "pull", "--quiet", "reg.example/team/image:1"]
    assert _after(podman, "--authfile") == [str(folder / "config.json")]
    kept = json.loads((folder / "config.json").read_text())
    assert kept == {"auths": {"reg.example": {"auth": "YW5uOmh1c2g="}}}
    assert stat.S_IMODE((folder / "config.json").stat().st_mode) == 0o600
    assert not any("hush" in word for word in docker + podman)


def test_apptainer_variables_are_prefixed(spec):
    """Variables of the container, and the registry's credentials."""
    task = spec(image=Image("team/image", "ann", "hush"))
    recipe = Apptainer().prepare(task, [])
    assert recipe.environment["APPTAINERENV_A-B"] == "x y"
    assert recipe.environment["APPTAINER_DOCKER_PASSWORD"] == "hush"
    pull, run = recipe.commands
    assert pull.words[-1] == "docker://docker.io/team/image"
    assert run.words[-3] == pull.words[-2] == str(task.folder / "image.sif")
    assert recipe.watched


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04"),
        ("openpai/standard:1", "docker.io/openpai/standard:1"),
        ("reg.example/a/b", "reg.example/a/b"),
        ("localhost/a:1", "localhost/a:1"),
        ("host:5000/a", "host:5000/a"),
    ],
)
def test_image_without_registry_is_from_docker_hub(written, full):
    """As Docker reads names; podman would ask which registry is meant."""
    assert full_name(written) == full


def test_image_of_role_is_resolved():
    """Its prerequisite's address and login, secrets filled in."""
    auth = {"username": "ann", "password": "<% $secrets.word %>", "registryuri": "reg.example"}
    document = {
        "prerequisites": [
            {"type": "data", "name": "image", "uri": ["x"]},
            {"type": "dockerimage", "name": "image", "uri": "reg.example/i", "auth": auth},
        ],
        "taskRoles": {"worker": {"dockerImage": "image"}},
        "secrets": {"word": "hush"},
    }
    assert image_of(document, "worker") == Image("reg.example/i", "ann", "hush", "reg.example")


def test_unknown_engine_raises():
    """It is refused before anything is started."""
    with pytest.raises(ConfigError, match="Invalid engine 'lxc'"):
        LocalCluster(engine="lxc").start()


@pytest.mark.parametrize("name", ["docker", "podman", "apptainer"])
def test_missing_engine_raises(name, tmp_path, monkeypatch):
    """One sentence, and what to do; no server is left."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"engine {name} is not installed on this machine"):
        LocalCluster(engine=name).start()


@pytest.mark.process
@pytest.mark.parametrize("name", ["docker", "podman"])
def test_unresponsive_engine_raises(name, tmp_path, monkeypatch):
    """What it says is passed on, in one sentence."""
    program = tmp_path / name
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.exit('Warning: a\\nno daemon at all')\n"
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=f"engine {name} does not answer: no daemon at all"):
        LocalCluster(engine=name).start()
