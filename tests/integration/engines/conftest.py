"""A real podman with files of its own, and an image made of programs of this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.wait import wait_until

from openpai.core import Cluster, Job
from openpai.core.local import LocalCluster

IMAGE = "localhost/openpai-test:1"
NOT_ROOT = "localhost/openpai-test-user:1"
NO_BASH = "localhost/openpai-test-no-bash:1"
PYTHON = "localhost/openpai-test-python:1"
PROGRAMS = ("bash", "cat", "env", "df", "id", "ls", "mkdir", "sleep")


@pytest.fixture(scope="session")
def podman(needs):
    """Podman's environment: storage, images and settings of this test run's own.

    Where this machine refuses what podman does by itself (limits, cgroups), the first way that
    works is taken, as its user would write it into containers.conf.
    """
    program = needs("podman")
    folder = Path(tempfile.mkdtemp(prefix="podman-"))  # a short path: sockets are in it
    archive, empty = _archive(folder / "root", PROGRAMS), _archive(folder / "bare", ("cat",))
    problems = []
    for driver in ("overlay", "vfs"):
        for runtime in ("crun", "runc"):
            home = folder / f"{driver}-{runtime}"
            env = {**os.environ, **_settings(home, driver, runtime)}
            try:
                for name, file in ((IMAGE, archive), (NO_BASH, empty)):
                    _call(program, "import", str(file), name, env=env)
                _call(program, "import", "--change", "USER=1234", str(archive), NOT_ROOT, env=env)
                _call(program, "run", "--rm", "--network", "host", IMAGE, "bash", "-c", "", env=env)
            except subprocess.CalledProcessError as error:
                problems.append(f"{driver}, {runtime}: {error.stderr.strip()}")
                continue
            yield {name: env[name] for name in env if name not in os.environ}
            _call(program, "rm", "--all", "--force", env=env)
            _remove(folder)
            return
    _remove(folder)
    reason = "podman runs nothing here:\n" + "\n".join(problems)
    pytest.fail(reason) if "OPENPAI_TESTS_REQUIRE_PARTS" in os.environ else pytest.skip(reason)


def _remove(folder: Path) -> None:
    for place in folder.glob("*/storage/*"):
        subprocess.run(["umount", "-R", str(place)], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _call(*words: str, env) -> None:
    subprocess.run(words, env=env, capture_output=True, text=True, check=True, timeout=120)


def _settings(home: Path, driver: str, runtime: str) -> dict[str, str]:
    home.mkdir()
    storage = f'driver="{driver}"\ngraphroot="{home}/storage"\nrunroot="{home}/run"\n'
    (home / "storage.conf").write_text(f"[storage]\n{storage}")
    limits = 'default_ulimits=["nofile=1024:1024","nproc=4096:4096"]'
    (home / "containers.conf").write_text(
        f'[engine]\nruntime="{runtime}"\ntmp_dir="{home}/tmp"\nlock_type="file"\n'
        f"[containers]\n{limits}\n"
    )
    return {
        "CONTAINERS_STORAGE_CONF": str(home / "storage.conf"),
        "CONTAINERS_CONF": str(home / "containers.conf"),
    }


@pytest.fixture(scope="session")
def python_image(podman, needs, tmp_path_factory):
    """An image with the Python of this machine's Debian."""
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("this machine has no /usr/bin/python3 to make an image of")
    root = tmp_path_factory.mktemp("python") / "root"
    library = Path(_output(python, "import sysconfig; print(sysconfig.get_path('stdlib'))"))
    unwanted = shutil.ignore_patterns("__pycache__", "test", "idlelib", "config-*", "ensurepip")
    shutil.copytree(library, root / library.relative_to("/"), ignore=unwanted)
    modules = [str(path) for path in library.glob("lib-dynload/*.so")]
    archive = _archive(root, (*PROGRAMS, "mktemp", "rm"), [str(python), *modules])
    _call(needs("podman"), "import", str(archive), PYTHON, env={**os.environ, **podman})
    return PYTHON


def _output(python: Path, code: str) -> str:
    return subprocess.check_output([str(python), "-c", code], text=True).strip()


def _archive(root: Path, programs, others=()) -> Path:
    """Pack programs of this machine with the libraries that they load, those of others too."""
    for name in ("bin", "usr/bin", "etc", "tmp", "proc", "sys", "dev", "work"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    found = [shutil.which(program) for program in programs]
    for program in (*found, *(other for other in others if not other.endswith(".so"))):
        shutil.copy(program, root / "bin" / Path(program).name)
    words = ["ldd", *found, *others]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    for library in set(re.findall(r"\s(/\S+) \(", loaded)):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    shutil.copy(shutil.which("env"), root / "usr" / "bin" / "env")
    archive = root.with_suffix(".tar")
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    return archive


@pytest.fixture(scope="session")
def docker_socket(needs, podman):
    """The address of podman's Docker API: a real engine for the real ``docker`` command."""
    needs("docker")
    socket = Path(podman["CONTAINERS_CONF"]).with_name("docker.sock")
    env = {**os.environ, **podman}
    words = [needs("podman"), "system", "service", "--time=0", f"unix://{socket}"]
    with subprocess.Popen(words, env=env, stderr=subprocess.DEVNULL) as service:
        wait_until(socket.exists, "the engine's service listens")
        yield f"unix://{socket}"
        service.terminate()


@pytest.fixture(scope="module", params=["podman", "docker"])
def engine(request, podman):
    """The name of an engine that works in this process and what it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in podman.items():
            patch.setenv(name, value)
        if request.param == "docker":
            patch.setenv("DOCKER_HOST", request.getfixturevalue("docker_socket"))
        yield request.param


@pytest.fixture(scope="module")
def team(engine, tmp_path_factory):
    """The folder of the storage `team`."""
    return tmp_path_factory.mktemp(f"team-{engine}")


@pytest.fixture(scope="module")
def local(engine, team):
    """A local cluster on the engine."""
    storages = {"team": str(team)}
    with LocalCluster(
        engine=engine, cpus=8, memory_mb=8192, gpus=0, grace=60, storages=storages
    ) as cluster:
        yield cluster


@pytest.fixture
def client(local):
    """A client of that cluster."""
    with Cluster(local.uri, user=local.user, token=local.token) as cluster:
        yield cluster


@pytest.fixture
def containers(engine, podman, needs):
    """Return a function that lists the containers of the engine that there are."""

    def look():
        words = [needs("podman"), "ps", "--all", "--format", "json"]
        env = {**os.environ, **podman}
        done = subprocess.run(words, env=env, capture_output=True, check=True, timeout=60)
        return json.loads(done.stdout)

    return look


@pytest.fixture
def job():
    """Return a function that makes a job for the image."""

    def make(name, *commands, image=IMAGE, memory=128, **top):
        return Job.from_dict(
            {
                "protocolVersion": 2,
                "name": name,
                "type": "job",
                "prerequisites": [{"type": "dockerimage", "name": "image", "uri": image}],
                "taskRoles": {
                    "worker": {
                        "instances": 1,
                        "dockerImage": "image",
                        "resourcePerInstance": {"cpu": 1, "gpu": 0, "memoryMB": memory},
                        "extraContainerOptions": {"shmMB": 32},
                        "commands": list(commands),
                    }
                },
                **top,
            }
        )

    return make
