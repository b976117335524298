"""What lies in a container beside its image: where PAI has it, as far as somebody may look for it.

::

    /usr/local/pai/runtime.d/    the scripts and job_config.yaml, read only
    /usr/local/pai/logs/<uid>/   the logs
    /usr/local/pai/verdict       how far the task came, for the supervisor
    /usr/local/pai/storages/     storages that the job names no path for
    /usr/local/pai/openpai-runtime   the runtime in one file, for images without it
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

__all__ = ["ENTRY", "carry_runtime", "container_environment", "container_mounts", "write_inside"]

log = logging.getLogger(__name__)

_HOME = "/usr/local/pai"
#: Seconds for the runtime to write itself into one file.
_PATIENCE = 60
ENTRY = f"{_HOME}/runtime.d/entry.sh"
"""What a container runs, by bash."""

#: As in PAI, bash is the first process; unlike there it passes SIGTERM on to the user's commands.
_ENTRY = """\
export PAI_WORK_DIR="$PWD"
here=/usr/local/pai
log=$here/logs/$FC_POD_UID/runtime.log
child=
heard=
stopping=
set -m
trap 'heard=1; stopping=1; [ -z "$child" ] || kill -TERM -- "-$child" 2> /dev/null' TERM
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
    while heard=; wait "$child"; status=$?; [ -n "$heard" ]; do :; done
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


def carry_runtime(folder: Path) -> Path | None:
    """Write the openpai-runtime of this machine into one file; ``None`` if there is none here."""
    program = Path(sys.executable).with_name("openpai-runtime")
    target = folder / "openpai-runtime"
    try:
        words = [str(program), "carry", str(target)]
        subprocess.run(words, capture_output=True, check=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("containers get no openpai-runtime of this machine: %s", error)
        return None
    target.chmod(0o755)
    return target


def write_inside(task: TaskSpec, scripts: Sequence[Path], config: str) -> None:
    """Write the files that a container finds; whoever is its user may read them."""
    folder = task.folder / "steps"
    lines = [
        shlex.join(["step", step.name, step.when, step.failure_policy, f"{_HOME}/runtime.d/{name}"])
        for step, name in zip(task.steps, (file.name for file in scripts))
    ]
    (folder / "entry.sh").write_text(_ENTRY + "\n".join([*lines, "finish main $decided", ""]))
    (folder / "job_config.yaml").write_text(config, encoding="utf-8")
    (task.folder / "verdict").write_text(f"{'':255}\n")
    # The folder of all jobs is closed to others; inside, the image's user may be anybody.
    for path, mode in ((folder, 0o755), (task.folder / "logs", 0o777)):
        path.chmod(mode)
    for file in folder.iterdir():
        file.chmod(0o644)
    (task.folder / "logs" / "runtime.log").touch()
    for file in (task.folder / "verdict", task.folder / "logs" / "runtime.log"):
        file.chmod(0o666)


def container_mounts(task: TaskSpec, runtime: Path | None) -> list[tuple[Mount, bool]]:
    """Return all that a container sees of this machine, and whether it may only read it.

    Args:
        task: The task.
        runtime: The file of :func:`carry_runtime`, if there is one.
    """
    asked = {mount.name for mount in task.mounts}
    others = [
        Mount(name, str(folder), f"{_HOME}/storages/{name}")
        for name, folder in task.storages.items()
        if name not in asked
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
    """Return what a container is told: all that a task is told, with its own paths."""
    asked = {mount.name: mount.target for mount in task.mounts}
    places = {name: asked.get(name, f"{_HOME}/storages/{name}") for name in task.storages}
    secrets = {"OPENPAI_SECRETS": f"{_HOME}/runtime.d/{SECRETS_FILE}"} if task.secrets else {}
    return {
        **task.environment,
        **secrets,
        "OPENPAI_JOB_CONFIG": f"{_HOME}/runtime.d/job_config.yaml",
        "OPENPAI_STORAGES": json.dumps(places),
    }
