"""Python packages that a job asks for are there, and the image's own stay as they are."""

from __future__ import annotations

import os
import shutil
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator

import pytest
from support.environments import bare_environment

from openpai.runtime.exit_codes import NOT_READY

pytestmark = pytest.mark.process


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
def image(task: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A task whose image has a Python with pip, and an index with two versions of ``tiny``."""
    python = bare_environment(tmp_path_factory) / "bin" / "python"
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


@pytest.fixture
def shared_home(image: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let several tests share the folder of the runtime, where the first one installs ``tiny``."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    image.env["OPENPAI_RUNTIME_HOME"] = str(run / "runtime-home")


def test_requirements_are_importable(image: Any) -> None:
    """Modules and commands of a requirement are there; nothing is said."""
    image.section(requirements=["tiny==1.0"])
    done = image.bash("python3 -c 'import tiny; tiny.main()'; tiny")
    assert (done.returncode, done.stdout, done.stderr) == (0, "tiny 1.0\ntiny 1.0\n", "")


@pytest.mark.usefixtures("shared_home")
def test_requirements_leave_image_unchanged(image: Any) -> None:
    """What is installed is in the runtime's own folder."""
    image.section(requirements=["tiny"])
    assert image.bash("python3 -c 'import tiny; print(tiny.__file__)'").stdout.startswith(
        image.env["OPENPAI_RUNTIME_HOME"]
    )
    image.section()
    assert image.bash("python3 -c 'import tiny'").returncode == 1


@pytest.mark.usefixtures("shared_home")
def test_requirements_keep_packages_of_image(image: Any) -> None:
    """The virtual environment sees them; pip need not bring them again."""
    image.section(requirements=["tiny"])
    assert image.bash("python3 -c 'import pip'").returncode == 0


@pytest.mark.usefixtures("shared_home")
def test_requirements_are_installed_once(image: Any) -> None:
    """A second task needs no index."""
    image.section(requirements=["tiny"])
    image.run("true")
    image.env["PIP_FIND_LINKS"] = ""
    assert image.bash("tiny").stdout == "tiny 2.0\n"


def test_requirements_of_concurrent_tasks(image: Any, finish: Any) -> None:
    """One installs, the other waits; both find a whole environment."""
    image.section(requirements=["tiny"])
    tasks = [image.start("tiny") for _ in range(2)]
    assert [finish(task).stdout for task in tasks] == ["tiny 2.0\n"] * 2


@pytest.mark.usefixtures("shared_home")
def test_requirements_replace_incomplete_environment(image: Any, tmp_path: Path) -> None:
    """A half made environment is not taken for a whole one."""
    image.section(requirements=["tiny"])
    image.run("true")
    home = shutil.copytree(image.env["OPENPAI_RUNTIME_HOME"], tmp_path / "cache", symlinks=True)
    image.env["OPENPAI_RUNTIME_HOME"] = str(home)
    (folder,) = home.glob("requirements/*[!k]")
    (folder / "openpai-complete").unlink()
    (folder / "bin/tiny").unlink()
    assert image.bash("tiny").stdout == "tiny 2.0\n"


def test_requirements_missing_package_prevents_command(image: Any) -> None:
    """Pip's own words are there, then what follows from them."""
    image.section(requirements=["no-such-package"])
    done = image.run("echo", "ran")
    assert (done.returncode, done.stdout) == (NOT_READY, "")
    assert "No matching distribution found for no-such-package" in done.stderr
    assert "The command is not started, because its Python packages" in done.stderr


@pytest.fixture
def index(image: Any, tmp_path: Path) -> Iterator[list[str]]:
    """A package index on this machine; the paths that were asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def end_headers(self) -> None:
            self.send_header("Cache-Control", "max-age=3600")
            super().end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    (tmp_path / "simple/tiny").mkdir(parents=True)
    wheel(tmp_path / "simple/tiny", "3.0")
    name = "tiny-3.0-py3-none-any.whl"
    (tmp_path / "simple/tiny/index.html").write_text(f'<a href="{name}">{name}</a>')
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for key in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
            del image.env[key]
        image.env["PIP_INDEX_URL"] = f"http://127.0.0.1:{server.server_port}/simple"
        image.env["PIP_TRUSTED_HOST"] = "127.0.0.1"  # pip keeps nothing that came by plain HTTP
        yield asked
        server.shutdown()
        thread.join()


def test_requirements_downloads_are_cached_in_workspace(
    image: Any, index: list[str], tmp_path: Path
) -> None:
    """Another container, with nothing in it yet, does not download the package again."""
    image.section(requirements=["tiny"])
    for home in ("one", "two"):
        image.env["OPENPAI_RUNTIME_HOME"] = str(tmp_path / home)
        assert image.bash("tiny").stdout == "tiny 3.0\n"
    assert len([path for path in index if path.endswith(".whl")]) == 1
    assert (image.storage / "users/alice/cache/pip").is_dir()


def test_requirements_use_uv_without_pip(image: Any, tmp_path: Path) -> None:
    """It brings the packages into the same kind of folder."""
    uv = shutil.which("uv")
    if not uv:
        pytest.skip("uv is not installed")
    (tmp_path / "no-pip").mkdir()
    (tmp_path / "no-pip/pip.py").write_text("raise ImportError('no pip here')\n")
    image.env.update(
        PYTHONPATH=str(tmp_path / "no-pip"),
        PATH=f"{Path(uv).parent}:{image.env['PATH']}",
        UV_NO_INDEX="1",
        UV_FIND_LINKS=image.env["PIP_FIND_LINKS"],
    )
    image.section(requirements=["tiny==1.0"])
    done = image.bash("tiny")
    assert done.stdout == "tiny 1.0\n", done.stderr
