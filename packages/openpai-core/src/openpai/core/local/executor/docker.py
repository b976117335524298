"""Run tasks in containers of Docker or Podman: create, start attached, remove."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Iterator, Mapping, Sequence

from openpai.core.errors import ConfigError
from openpai.core.files import write_private
from openpai.core.local.executor.container_files import (
    ENTRY,
    container_environment,
    container_mounts,
    write_container_files,
    write_runtime,
)
from openpai.core.local.executor.engine import Command, Engine, LaunchPlan
from openpai.core.local.executor.process import inherited_environment

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.local.executor.engine import Image, Mount, TaskSpec

__all__ = [
    "Docker",
    "Oci",
    "Podman",
    "container_name",
    "full_name",
]

#: Seconds to wait for a command of the engine.
TIMEOUT = 30
#: Pulls an image that is missing; exits with 125 if the engine does not answer.
_PULL = """\
engine=$1; image=$2; shift 2
"$engine" image inspect "$image" > /dev/null 2>&1 && exit 0
"$engine" "$@" && exit 0
"$engine" info > /dev/null 2>&1 || exit 125
exit 1
"""
#: Sends a signal, again if the container is only about to start. (The command attached to a
#: container forwards signals, too, but exits with some versions of Docker.)
_SIGNAL = """\
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    "$@" > /dev/null 2>&1 && exit
    sleep 0.2
done
"""


def container_name(uid: str) -> str:
    """Return the name of a task's container."""
    return f"openpai-{uid}"


def full_name(image: str) -> str:
    """Return an image's name with its registry, Docker Hub by default."""
    first, _, rest = image.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if rest else f"docker.io/library/{image}"


class Oci(Engine):
    """An engine with Docker's command line.

    Attributes:
        program: The command.
        info_format: Template for ``info``: a value that only a running engine knows.
        remove_words: The command that removes a container, running or not.
    """

    program = ""
    info_format = "{{.ID}}"
    remove_words: Sequence[str] = ("rm", "--force", "--volumes")

    def __init__(self) -> None:
        self._runtime: Path | None = None

    def check(self) -> None:
        """Check that the engine answers.

        Raises:
            ConfigError: The engine is not installed or does not answer.
        """
        if shutil.which(self.program) is None:
            raise ConfigError(
                f"The container engine {self.program} is not installed on this machine.",
                "Install it, or leave --engine out: tasks are processes then.",
            )
        problem = self._problem()
        if problem:
            raise ConfigError(
                f"The container engine {self.program} does not answer: {problem}",
                "Start it, or leave --engine out: tasks are processes then.",
            )

    def _problem(self) -> str:
        """Return the error of the engine; empty if it answers."""
        try:
            done = subprocess.run(
                [self.program, "info", "--format", self.info_format],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{error}."
        lines = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()
        return lines[-1] if done.returncode else ""

    def gpu_words(self, gpus: Sequence[int]) -> list[str]:
        """Return the options that give GPUs to a container."""
        raise NotImplementedError

    def login_words(self, folder: Path) -> tuple[list[str], list[str]]:
        """Return the options before and after ``pull`` that name a folder of credentials."""
        raise NotImplementedError

    def open(self, folder: Path) -> None:
        """Write the runtime for the containers."""
        self._runtime = write_runtime(folder)

    def prepare(self, task: TaskSpec, scripts: Sequence[Path]) -> LaunchPlan:
        """Return the commands that pull the image, create the container and start it attached."""
        name = container_name(task.uid)
        write_container_files(task, scripts, (task.folder / "job.yaml").read_text(encoding="utf-8"))
        variables = task.folder / "environment"
        _write_environment(variables, container_environment(task))
        return LaunchPlan(
            commands=[
                Command("image", self._pull(task)),
                Command("creation", self._create(task, name, variables)),
                Command("main", (self.program, "start", "--attach", name), "main"),
            ],
            environment=inherited_environment(),
            work=str(task.folder / "work"),
            stopping=(
                "/bin/sh",
                "-c",
                _SIGNAL,
                "sh",
                self.program,
                "kill",
                "--signal",
                "TERM",
                name,
            ),
            ending=self._remove(name),
            memory_query=(self.program, "inspect", "--format", "{{.State.OOMKilled}}", name),
            verdict=str(task.folder / "verdict"),
        )

    def _pull(self, task: TaskSpec) -> Sequence[str]:
        before: list[str] = []
        after: list[str] = []
        if task.image.password or task.image.user:
            before, after = self.login_words(_write_login(task.folder / "registry", task.image))
        pull = [*before, "pull", "--quiet", *after, full_name(task.image.uri)]
        return ["/bin/sh", "-c", _PULL, "sh", self.program, task.image.uri, *pull]

    def _create(self, task: TaskSpec, name: str, variables: Path) -> Sequence[str]:
        return [
            self.program,
            "create",
            *("--name", name, "--hostname", name[:20], "--label", f"openpai.local={task.uid}"),
            *("--network", "host", "--log-driver", "none", "--security-opt", "label=disable"),
            *("--env-file", str(variables)),
            *_limit_words(task),
            *(
                word
                for mount, fixed in container_mounts(task, self._runtime)
                for word in _mount(mount, fixed)
            ),
            *(["--workdir", task.work] if task.work else []),
            *(self.gpu_words(task.gpus) if task.gpus else []),
            *("--entrypoint", "bash", task.image.uri, ENTRY),
        ]

    def _remove(self, name: str) -> Sequence[str]:
        return self.program, *self.remove_words, name

    def clean(self, uid: str) -> None:
        """Remove the container of a task whose supervisor was killed."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):  # the engine does not answer
            subprocess.run(
                list(self._remove(container_name(uid))),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )


def _limit_words(task: TaskSpec) -> Iterator[str]:
    yield from ("--memory", f"{task.limits.memory_mb}m")
    yield from ("--memory-swap", f"{task.limits.memory_mb}m")  # no swap, as in Kubernetes
    yield from ("--shm-size", f"{task.limits.shm_mb}m")
    yield from ("--pids-limit", str(task.processes))
    if 0 < task.limits.cpu < (os.cpu_count() or 1):  # Docker refuses more than the machine has
        yield from ("--cpus", str(task.limits.cpu))


def _mount(mount: Mount, fixed: bool) -> list[str]:
    words = ["type=bind", f"source={mount.source}", f"target={mount.target}"]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words + (["readonly"] if fixed else []))
    return ["--mount", line.getvalue()]


def _write_environment(path: Path, variables: Mapping[str, str]) -> None:
    """Write a file for ``--env-file``, whose values have neither quotes nor line breaks."""
    lines = [
        f"{name}={value}"
        for name, value in variables.items()
        if not any(sign in name + value for sign in "\r\n") and not any(map(str.isspace, name))
    ]
    write_private(path, "\n".join([*lines, ""]))


def _write_login(folder: Path, image: Image) -> Path:
    """Write the credentials of a registry as ``docker login`` does."""
    folder.mkdir(mode=0o700, exist_ok=True)
    secret = base64.b64encode(f"{image.user}:{image.password}".encode()).decode()
    registry = image.registry or full_name(image.uri).partition("/")[0]
    if registry == "docker.io":
        registry = "https://index.docker.io/v1/"
    write_private(folder / "config.json", json.dumps({"auths": {registry: {"auth": secret}}}))
    return folder


class Docker(Oci):
    """The command ``docker``."""

    name = program = "docker"

    def gpu_words(self, gpus: Sequence[int]) -> list[str]:
        """Return ``--gpus``, whose list needs quotes of its own."""
        return ["--gpus", f'"device={",".join(map(str, gpus))}"']

    def login_words(self, folder: Path) -> tuple[list[str], list[str]]:
        """Return the folder as Docker's configuration."""
        return ["--config", str(folder)], []


class Podman(Oci):
    """The command ``podman``, configured by ``containers.conf``."""

    name = program = "podman"
    info_format = "{{.Host.Kernel}}"
    remove_words = ("rm", "--force", "--volumes", "--time", "0")

    def gpu_words(self, gpus: Sequence[int]) -> list[str]:
        """Return the devices as the NVIDIA container toolkit names them (CDI)."""
        return [word for gpu in gpus for word in ("--device", f"nvidia.com/gpu={gpu}")]

    def login_words(self, folder: Path) -> tuple[list[str], list[str]]:
        """Return the file of credentials."""
        return [], ["--authfile", str(folder / "config.json")]
