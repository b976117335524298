"""Information and problems of a task, for ``openpai-runtime info`` and ``doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.protocol import validate_runtime_section
from openpai.runtime.__about__ import __version__
from openpai.runtime.job import TaskJob, config_path, read_job, storage_folder, valid_section
from openpai.runtime.log import mask, message_of
from openpai.runtime.setup import Preparation, describe_goals

__all__ = ["check", "environment_info"]

_TOOLS = ("bash", "git", "python", "python3", "pip", "nvidia-smi", "ssh")
_SHOWN = ("PAI_", "FC_", "OPENPAI_")


def environment_info(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield lines about the system, the task and the runtime section."""
    yield f"openpai-runtime {__version__}, Python {platform.python_version()} at {sys.executable}"
    yield f"system: {_system()}, user id {os.getuid()}, process id {os.getpid()}"
    tools = [name for name in _TOOLS if shutil.which(name, path=environ.get("PATH"))]
    yield f"programs: {', '.join(tools) or 'none of ' + ', '.join(_TOOLS)}"
    yield f"GPUs: {_gpus()}"
    path = config_path(environ)
    yield f"job config: {path or 'none'}"
    job = _job(environ)
    if job is None:
        yield "runtime section: none; commands just run"
    else:
        tasks = sum(job.instances.values())
        yield f"task: {job.context.role} {job.context.index} of {tasks}, job {job.context.job}"
        yield f"runtime section: {', '.join(job.section.to_dict())}"
        yield from _storages(job)
        yield from _plan(job)
    for name in sorted(environ):
        if name.startswith(_SHOWN):
            yield mask(f"{name}={environ[name]}")


def check(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield problems that the job's command would have."""
    document = read_job(config_path(environ))
    if document is None:
        return
    for problem in validate_runtime_section(document):
        yield f"{problem.path}: {problem.message} {problem.hint}".rstrip()
    job = _job(environ)
    if job is None:
        return
    yield from _workspace(job)
    yield from _needs(job)


def _job(environ: Mapping[str, str]) -> TaskJob | None:
    document = read_job(config_path(environ))
    try:
        section = valid_section(document, quiet=True) if document else None
    except OpenPaiError:
        return None
    return TaskJob.of(document, section, environ) if document and section else None


def _storages(job: TaskJob) -> Iterator[str]:
    """Yield the folder of each storage, and whether it is read-only."""
    names = {mount.storage for mount in job.section.mounts}
    if job.section.workspace:
        names.add(job.section.workspace.partition(":")[0])
    for name in sorted(names):
        try:
            folder = storage_folder(name, job.document, job.environ)
        except OpenPaiError as error:
            yield f"storage {name}: {error}"
            continue
        yield f"storage {name}: {folder}" + ("" if os.access(folder, os.W_OK) else ", read-only")


def _plan(job: TaskJob) -> Iterator[str]:
    """Yield the steps before the command."""
    try:
        lines = list(describe_goals(Preparation(job, Path.cwd(), job.environ).goals()))
    except (OSError, OpenPaiError) as error:
        lines = [f"- nothing: {message_of(error)}"]
    if lines:
        yield "before the command:"
        yield from (f"  {line}" for line in lines)


def _workspace(job: TaskJob) -> Iterator[str]:
    if not job.folder:
        return
    try:
        root = job.workspace_storage().root
    except OpenPaiError as error:
        yield str(error)
        return
    place = root / job.folder.output.strip("/")
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        yield f"{place} may not be written: outputs cannot be saved."


def _needs(job: TaskJob) -> Iterator[str]:
    try:
        if job.section.code:
            storage, path = job.archive()
            storage.stat(path)
        for mount in job.section.mounts:
            storage_folder(mount.storage, job.document, job.environ)
    except (OSError, OpenPaiError) as error:
        yield message_of(error)
    if job.section.requirements:
        from openpai.runtime.setup import python_of

        python = python_of(job.environ)
        wanted = "venv" if shutil.which("uv", path=job.environ.get("PATH")) else "pip, venv"
        check = [python, "-c", f"import {wanted}"]
        if subprocess.run(check, capture_output=True, check=False).returncode:
            yield f"{python} has no {wanted}: requirements cannot be installed."


def _system() -> str:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return platform.platform()
    names: dict[str, Any] = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return f"{str(names.get('PRETTY_NAME', 'Linux')).strip(chr(34))}, {platform.machine()}"


def _gpus() -> str:
    if not shutil.which("nvidia-smi"):
        return "unknown (no nvidia-smi)"
    done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return "; ".join(done.stdout.splitlines()) or "none"
