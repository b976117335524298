"""Containers as PAI makes them, of namespaces and a root file system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tools.systems import SYSTEMS, folder

NOBODY = 65534
#: Mounts in a namespace of its own: the system, read-only or with changes that are forgotten, a
#: folder for the task, an empty /tmp; then the program becomes the first process there.
ENTER = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$BASE"
mkdir "$BASE/changes" "$BASE/work" "$BASE/root"
layers="lowerdir=$SYSTEM,upperdir=$BASE/changes,workdir=$BASE/work"
mount -t overlay overlay -o "$layers" "$BASE/root"
mkdir -p "$BASE/root/task" "$BASE/root/mnt/team"
test -z "$HIDDEN" || mount --bind /dev/null "$BASE/root$HIDDEN"
test -z "$READ_ONLY" || mount -o remount,ro "$BASE/root"
mount -t proc proc "$BASE/root/proc"
mount --rbind /dev "$BASE/root/dev"
mount -t tmpfs none "$BASE/root/tmp"
mount --bind "$TASK" "$BASE/root/task"
mount --bind "$TEAM" "$BASE/root/mnt/team"
exec chroot --userspec="$USER_ID:$USER_ID" "$BASE/root" "$@"
"""


class Container:
    """One task's container.

    Attributes:
        task: The folder that the container sees as ``/task``.
        team: The folder that it sees as ``/mnt/team``, where PAI mounts a storage of that name.
    """

    def __init__(self, system: Path, place: Path) -> None:
        self.system = system
        self.task, self.team, self.base = (place / name for name in ("task", "team", "base"))
        for made in (self.task, self.team, self.base):
            made.mkdir()
            made.chmod(0o777)

    def start(
        self,
        *argv: str,
        user: int = NOBODY,
        read_only: bool = True,
        hidden: str = "",
        network: bool = False,
        **environ: str,
    ) -> subprocess.Popen[str]:
        """Start a program as the first process of the container.

        Args:
            argv: The program and its arguments.
            user: Whose process it is.
            read_only: Whether the root file system may not be written.
            hidden: A file of the image that is not there.
            network: Whether it has the network of this machine.
            environ: Its environment, beside PATH and HOME.
        """
        outside = {
            "SYSTEM": self.system,
            "BASE": self.base,
            "TASK": self.task,
            "TEAM": self.team,
            "USER_ID": user,
            "HIDDEN": hidden,
            "READ_ONLY": "yes" if read_only else "",
        }
        inside = {"HOME": "/tmp/home", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environ}
        words = ["env", "-i", *(f"{name}={value}" for name, value in inside.items()), *argv]
        spaces = ["--mount", "--pid", "--fork", "--kill-child", *(() if network else ("--net",))]
        return subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", ENTER, "sh", *words],
            env={**os.environ, **{name: str(value) for name, value in outside.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        process = self.start(*argv, **options)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(argv, process.returncode, out, err)


@pytest.fixture(params=["this machine", *SYSTEMS])
def container(request: pytest.FixtureRequest, tmp_path: Path) -> Container:
    """A container of each system that is here."""
    system = Path("/") if request.param == "this machine" else folder() / request.param
    if not system.exists():
        pytest.skip(f"{request.param} is not here: python tests/tools/systems.py {request.param}")
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    tmp_path.chmod(0o755)
    made = Container(system, tmp_path)
    done = made.run("true")
    if done.returncode:
        pytest.skip(f"this user may not make containers: {done.stderr}")
    return made


@pytest.fixture
def python(container: Container) -> tuple[int, int]:
    """The version of the container's Python."""
    code = "import sys; print(*sys.version_info[:2])"
    major, minor = container.run("python3", "-c", code).stdout.split()
    return int(major), int(minor)
