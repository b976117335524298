"""Install the job's Python packages without changing the image's own.

They go into a virtual environment with access to the image's packages, so that pip installs only
what is missing or of another version. It comes first on the command's ``PATH``. Tasks with the same
requirements and the same Python share it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Mapping, Sequence

from openpai.core.errors import OpenPaiError

__all__ = [
    "environment_folder",
    "install",
    "python_of",
    "shared_caches",
    "with_environment",
]

_PIP = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
_DONE = "openpai-complete"
_DESCRIBE = (
    "import sys, sysconfig; print(sys.version); print(sys.prefix); "
    "print(sysconfig.get_path('purelib')); print(sysconfig.get_path('platlib'))"
)


def environment_folder(requirements: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the folder of the virtual environment, which may not exist yet.

    Raises:
        OpenPaiError: No Python is found.
    """
    text = "\n".join([*_describe(python_of(environ)), *requirements])
    return _cache(environ) / "requirements" / hashlib.sha256(text.encode()).hexdigest()[:32]


def install(requirements: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Create the virtual environment unless it exists; return its folder.

    pip's output goes to stderr. A lock lets only one task create it.

    Raises:
        OpenPaiError: venv or pip failed.
        OSError: The folder cannot be written.
    """
    folder = environment_folder(requirements, environ)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)  # incomplete, from a killed task
            _make(folder, python_of(environ), requirements, environ)
            (folder / _DONE).touch()
    return folder


def with_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return an environment whose ``python`` is that of the virtual environment."""
    path = f"{folder / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}"
    return {**environ, "PATH": path, "VIRTUAL_ENV": str(folder)}


def _make(
    folder: Path, python: str, requirements: Sequence[str], environ: Mapping[str, str]
) -> None:
    _run([python, "-m", "venv", "--system-site-packages", "--without-pip", str(folder)], environ)
    # A virtual environment inside another one has no access to the other's packages.
    for site in folder.glob("lib/python*/site-packages"):
        paths = dict.fromkeys(_describe(python)[2:])
        (site / "openpai-image.pth").write_text("".join(f"{path}\n" for path in paths))
    _run([*_installer(str(folder / "bin" / "python"), environ), "--", *requirements], environ)


def _installer(python: str, environ: Mapping[str, str]) -> list[str]:
    """Return the install command: the image's pip, which knows its packages, or uv."""
    check = [python, "-c", "import pip"]
    has_pip = not subprocess.run(check, stderr=subprocess.DEVNULL, check=False).returncode
    uv = shutil.which("uv", path=environ.get("PATH", os.defpath))
    if uv and not has_pip:
        return [uv, "pip", "install", "--quiet", "--python", python]
    options = ["--quiet", "--no-input", "--disable-pip-version-check"]
    return [python, "-m", "pip", "install", *options]


def shared_caches(workspace: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return variables that cache downloads in the workspace for other tasks and jobs.

    Args:
        workspace: The folder of the workspace.
        environ: The environment; its own settings take precedence.
    """
    kinds = {"PIP_CACHE_DIR": "pip", "UV_CACHE_DIR": "uv"}
    if not os.access(workspace, os.W_OK):
        return {}
    return {
        name: str(workspace / "cache" / kind) for name, kind in kinds.items() if name not in environ
    }


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> None:
    kept = {**environ, **_PIP}
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=2, env=kept, check=False)
    if done.returncode:
        raise OpenPaiError(f"'{' '.join(argv[1:4])}' failed.", "Its own message is above.")


def python_of(environ: Mapping[str, str]) -> str:
    """Return the command's Python 3; by default the runtime's."""
    path = environ.get("PATH", os.defpath)
    return shutil.which("python3", path=path) or shutil.which("python", path=path) or sys.executable


def _describe(python: str) -> list[str]:
    """Return version, prefix and package folders of a Python."""
    try:
        done = subprocess.run(
            [python, "-c", _DESCRIBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise OpenPaiError(f"The Python {python} does not run: {error}.") from None
    return done.stdout.splitlines()


def _cache(environ: Mapping[str, str]) -> Path:
    """Return the private folder of the runtime, which the bootstrap uses too."""
    named = environ.get("OPENPAI_RUNTIME_HOME")
    if named:
        return Path(named)
    cache = environ.get("XDG_CACHE_HOME") or f"{environ.get('HOME') or '/nonexistent'}/.cache"
    folder = Path(cache, "openpai", "runtime")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    fallback = Path(environ.get("TMPDIR") or "/tmp", f"openpai-runtime-{os.getuid()}")  # noqa: S108
    fallback.mkdir(mode=0o700, exist_ok=True)
    if fallback.is_symlink() or fallback.stat().st_uid != os.getuid():
        raise OpenPaiError(f"{fallback} does not belong to this user.", "Remove it.")
    return fallback
