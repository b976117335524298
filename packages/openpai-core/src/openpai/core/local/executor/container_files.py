"""Files and variables of a task's container, at the paths that PAI uses.

::

    /usr/local/pai/runtime.d/    the scripts and job_config.yaml, read only
    /usr/local/pai/logs/<uid>/   the logs
    /usr/local/pai/verdict       the step that decided and its status, for the supervisor
    /usr/local/pai/storages/     storages without a path in the job
    /usr/local/pai/openpai-runtime   the runtime as one file, for images without it
"""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Mapping, Sequence

from openpai.core.local.executor.engine import SECRETS_FILE, Mount

if TYPE_CHECKING:
    from openpai.core.local.executor.engine import TaskSpec

__all__ = [
    "ENTRY",
    "container_environment",
    "container_mounts",
    "write_container_files",
    "write_runtime",
]

log = logging.getLogger(__name__)

_HOME = "/usr/local/pai"
#: Seconds to wait for the runtime's zip application.
_TIMEOUT = 60
ENTRY = f"{_HOME}/runtime.d/entry.sh"
"""The script that bash runs in a container."""

#: As in PAI, bash is the first process; unlike there it passes SIGTERM on to the user's commands.
_ENTRY = """\
export PAI_WORK_DIR="$PWD"
here=/usr/local/pai
log=$here/logs/$FC_POD_UID/runtime.log
child=
signalled=
stopping=
set -m
trap 'signalled=1; stopping=1; [ -z "$child" ] || kill -TERM -- "-$child" 2> /dev/null' TERM
note() { printf '[%(%F %T)T] [openpai-local] %s\\n' -1 "$1" >> "$log"; }
finish() {  # step, status
    memory=
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ "$2" = 0 ] || [ ! -r $file ] || while read -r key number; do
            [ "$key" != oom_kill ] || [ "$number" = 0 ] || memory=memory
        done < $file
    done
    printf '%-255s\\n' "$1 $2 $memory" 1<> $here/verdict  # its room is there, also on a full disk
    exit "$2"
}
step() {  # name, when, failure policy, file
    [ -z "$stopping" ] || finish "$1" 143
    note "$1 starts"
    if [ "$2" = main ]; then bash "$4" & else bash "$4" >> "$log" 2>&1 & fi
    child=$!
    [ -z "$stopping" ] || kill -TERM -- "-$child"
    while signalled=; wait "$child"; status=$?; [ -n "$signalled" ]; do :; done
    child=
    note "$1 ended with status $status"
    [ "$status" = 0 ] || [ "$3" = ignore ] || finish "$1" "$status"
    [ "$2" != main ] || decided=$status
}
if [ -r $here/openpai-runtime ] &&
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2> /dev/null; then
    export OPENPAI_RUNTIME=$here/openpai-runtime
fi
decided=0
printf '%-255s\\n' begun 1<> $here/verdict
"""


def write_runtime(folder: Path) -> Path | None:
    """Write this machine's openpai-runtime as one file; return ``None`` if it is not installed."""
    program = Path(sys.executable).with_name("openpai-runtime")
    target = folder / "openpai-runtime"
    try:
        words = [str(program), "carry", str(target)]
        subprocess.run(words, capture_output=True, check=True, timeout=_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("containers get no openpai-runtime of this machine: %s", error)
        return None
    target.chmod(0o755)
    return target


def write_container_files(task: TaskSpec, scripts: Sequence[Path], config: str) -> None:
    """Write the files of a container, readable by any user of the image."""
    folder = task.folder / "steps"
    lines = [
        shlex.join(["step", step.name, step.when, step.failure_policy, f"{_HOME}/runtime.d/{name}"])
        for step, name in zip(task.steps, (file.name for file in scripts))
    ]
    (folder / "entry.sh").write_text(_ENTRY + "\n".join([*lines, "finish main $decided", ""]))
    (folder / "job_config.yaml").write_text(config, encoding="utf-8")
    (task.folder / "verdict").write_text(f"{'':255}\n")
    # The jobs folder is closed to other users; the image's user may have any uid.
    for path, mode in ((folder, 0o755), (task.folder / "logs", 0o777)):
        path.chmod(mode)
    for file in folder.iterdir():
        file.chmod(0o644)
    (task.folder / "logs" / "runtime.log").touch()
    for file in (task.folder / "verdict", task.folder / "logs" / "runtime.log"):
        file.chmod(0o666)


def container_mounts(task: TaskSpec, runtime: Path | None) -> list[tuple[Mount, bool]]:
    """Return the mounts of a container, each with whether it is read-only.

    Args:
        task: The task.
        runtime: The file of :func:`write_runtime`, if there is one.
    """
    mounted = {mount.name for mount in task.mounts}
    others = [
        Mount(name, str(folder), f"{_HOME}/storages/{name}")
        for name, folder in task.storages.items()
        if name not in mounted
    ]
    own = [
        (Mount("scripts", str(task.folder / "steps"), f"{_HOME}/runtime.d"), True),
        (Mount("logs", str(task.folder / "logs"), f"{_HOME}/logs/{task.uid}"), False),
        (Mount("verdict", str(task.folder / "verdict"), f"{_HOME}/verdict"), False),
    ]
    if runtime is not None:
        own.append((Mount("runtime", str(runtime), f"{_HOME}/openpai-runtime"), True))
    work = [(Mount("work", task.work, task.work), False)] if task.work else []
    return [*own, *work, *((mount, False) for mount in (*task.mounts, *others))]


def container_environment(task: TaskSpec) -> Mapping[str, str]:
    """Return the environment of a container: that of the task, with the container's paths."""
    targets = {mount.name: mount.target for mount in task.mounts}
    places = {name: targets.get(name, f"{_HOME}/storages/{name}") for name in task.storages}
    secrets = {"OPENPAI_SECRETS": f"{_HOME}/runtime.d/{SECRETS_FILE}"} if task.secrets else {}
    return {
        **task.environment,
        **secrets,
        "OPENPAI_JOB_CONFIG": f"{_HOME}/runtime.d/job_config.yaml",
        "OPENPAI_STORAGES": json.dumps(places),
    }
