"""Bare machines on which the bootstrap runs: a PATH with a few tools and one Python."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path
from typing import Callable

import pytest
from support.environments import bare_environment

TOOLS = ("bash", "sh", "env", "id", "mkdir", "mktemp", "rm", "uname", "cat")


class Machine:
    """A PATH folder, a home and a temporary folder, and bash to run a script there."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.home = folder / "home"
        self.tmp = folder / "tmp"
        self.script = folder / "user.sh"
        for made in (self.bin, self.home, self.tmp):
            made.mkdir()
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path, f"this machine has no {tool}"
            (self.bin / tool).symlink_to(path)
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "PIP_NO_INDEX": "1",
            "PIP_RETRIES": "0",
        }

    def command(self, name: str, text: str) -> Path:
        """Put an executable shell script on the PATH."""
        path = self.bin / name
        path.write_text(f"#!{self.bin}/bash\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def python(self, interpreter: str) -> None:
        """Put a Python on the PATH as ``python3``."""
        self.command("python3", f'exec {interpreter} "$@"')

    def wheels(self, folder: Path) -> None:
        """Let pip find a small wheel: a runtime that tells its arguments."""
        folder.mkdir()
        main = (
            "import os, sys\n"
            "def main():\n"
            "    print('installed', sys.argv[1:], flush=True)\n"
            "    os.environ['OPENPAI_RUNTIME_ACTIVE'] = os.environ.get('FC_POD_UID', '1')\n"
            "    os.execvp(sys.argv[3], sys.argv[3:])\n"
        )
        write_wheel(folder, "openpai_runtime", {"openpai/runtime/cli/main.py": main})
        self.env["PIP_FIND_LINKS"] = str(folder)

    def start(self, text: str, **env: str) -> subprocess.Popen[str]:
        """Start a script as PAI does: from a file, with the strict options."""
        strict = "set -o errexit; set -o nounset; set -o pipefail\n"
        self.script.write_text(strict + text)
        return subprocess.Popen(
            [str(self.bin / "bash"), str(self.script)],
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
        )

    def run(self, text: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        process = self.start(text, **env)
        out, err = process.communicate(timeout=600)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def write_wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    """Write a pure wheel of version 0.1.0."""
    info = f"{name}-0.1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-0.1.0-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine without any Python."""
    return Machine(tmp_path)


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with pip and without our packages."""
    return str(bare_environment(tmp_path_factory) / "bin" / "python")


@pytest.fixture(scope="session")
def old_python() -> Callable[[str], str]:
    """Find an interpreter older than 3.8, or skip and say which one is absent."""

    def find(version: str) -> str:
        versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        for path in sorted(versions.glob(f"{version}.*/bin/python")):
            return str(path)
        pytest.skip(f"this machine has no Python {version}")

    return find
