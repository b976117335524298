"""Python packages that a job asks for are there, and the image's own stay as they are."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from openpai.runtime.exits import NOT_READY


def wheel(folder: Path, version: str) -> None:
    """Write a wheel of the package ``tiny``, which has a command ``tiny`` too."""
    info = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"def main(): print('tiny {version}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ntiny = tiny:main\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture
def image(task: Any, tmp_path: Path) -> Any:
    """A task whose image has a Python with pip, and an index with two versions of ``tiny``."""
    python = str(Path(sys.executable).resolve())
    if subprocess.run(
        [python, "-m", "pip", "--version"], capture_output=True, check=False
    ).returncode:
        pytest.skip(f"{python} has no pip")
    wheels = tmp_path / "wheels"
    tools = tmp_path / "bin"
    wheels.mkdir()
    tools.mkdir()
    for version in ("1.0", "2.0"):
        wheel(wheels, version)
    (tools / "python3").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    (tools / "python3").chmod(0o755)
    task.env.update(
        PATH=f"{tools}:/usr/bin:/bin",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        OPENPAI_RUNTIME_HOME=str(tmp_path / "cache"),
    )
    return task


def test_the_command_finds_the_packages(image: Any) -> None:
    """Modules and commands of a requirement are there; nothing is said."""
    image.section(requirements=["tiny==1.0"])
    done = image.bash("python3 -c 'import tiny; tiny.main()'; tiny")
    assert (done.returncode, done.stdout, done.stderr) == (0, "tiny 1.0\ntiny 1.0\n", "")


def test_the_images_python_is_not_touched(image: Any) -> None:
    """What is installed is in the runtime's own folder."""
    image.section(requirements=["tiny"])
    assert image.bash("python3 -c 'import tiny; print(tiny.__file__)'").stdout.startswith(
        image.env["OPENPAI_RUNTIME_HOME"]
    )
    image.section()
    assert image.bash("python3 -c 'import tiny'").returncode == 1


def test_the_images_own_packages_are_still_there(image: Any) -> None:
    """The virtual environment sees them; pip need not bring them again."""
    image.section(requirements=["tiny"])
    assert image.bash("python3 -c 'import pip'").returncode == 0


def test_the_same_wishes_are_installed_once(image: Any) -> None:
    """A second task needs no index."""
    image.section(requirements=["tiny"])
    image.run("true")
    image.env["PIP_FIND_LINKS"] = ""
    assert image.bash("tiny").stdout == "tiny 2.0\n"


def test_two_tasks_at_once_do_not_disturb_each_other(image: Any, finish: Any) -> None:
    """One installs, the other waits; both find a whole environment."""
    image.section(requirements=["tiny"])
    tasks = [image.start("tiny") for _ in range(2)]
    assert [finish(task).stdout for task in tasks] == ["tiny 2.0\n"] * 2


def test_what_a_killed_task_left_is_made_anew(image: Any) -> None:
    """A half made environment is not taken for a whole one."""
    image.section(requirements=["tiny"])
    image.run("true")
    (folder,) = Path(image.env["OPENPAI_RUNTIME_HOME"]).glob("requirements/*[!k]")
    (folder / "openpai-complete").unlink()
    (folder / "bin/tiny").unlink()
    assert image.bash("tiny").stdout == "tiny 2.0\n"


def test_a_package_that_does_not_exist_keeps_the_command_from_starting(image: Any) -> None:
    """Pip's own words are there, then what follows from them."""
    image.section(requirements=["no-such-package"])
    done = image.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "No matching distribution found for no-such-package" in done.stderr
    assert "The command is not started, because its Python packages" in done.stderr
