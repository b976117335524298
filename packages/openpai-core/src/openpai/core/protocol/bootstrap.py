"""Make a job run under openpai-runtime, whatever its image holds.

The first command of every task role becomes a short bash text that looks for openpai-runtime, or
installs it into a private folder, and starts the whole script again as the runtime's child. The
script itself stays as its author wrote it.

The text has to survive its journey: rest-server renders ``<% %>`` tags and trims the script
(rest-server/src/middlewares/v2/protocol.js), the FrameworkController replaces ``{{FC_…}}``, and
Kubernetes collapses ``$$`` and expands ``$(NAME)`` of known variables because the script travels as
an environment value. None of these occurs in it.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.protocol.runtime_parts import NEEDED
from openpai.core.protocol.runtime_section import raw_section

__all__ = ["CARRIED", "add_bootstrap", "bootstrap_text", "carried_places", "without_bootstrap"]

_VERSION = "0.1"
_PACKAGE = f"openpai-runtime~={_VERSION}.0"
CARRIED = f"runtime/openpai-runtime-{_VERSION}.pyz"
"""Where in a workspace the file of ``openpai-runtime carry`` is looked for."""

_BEGIN = "# --- openpai-runtime bootstrap"
_END = "# --- end of openpai-runtime bootstrap"

_TEXT = r"""
# --- openpai-runtime bootstrap 1: runs this script as `openpai-runtime run -- bash SCRIPT`.
# The commands of the job follow after it, unchanged.
openpai_bootstrap() {
  local needed=@NEEDED@ package='@PACKAGE@' python home new reason carried
  local modern='import sys; sys.exit(sys.version_info < (3, 8))'
  local path='import sys; sys.path = [p for p in sys.path if p]'
  local import="$path; import openpai.runtime.cli.main as m"
  local label='import platform, sys; print(sys.implementation.cache_tag + "-" + platform.machine())'
  local rename='import os, sys; os.rename(sys.argv[1], sys.argv[2])'

  find_python() {
    for python in python3 python python3.13 python3.12 python3.11 python3.10 python3.9 python3.8; do
      if "$python" -c "$modern" >/dev/null 2>&1; then return 0; fi
    done
    return 1
  }
  find_folder() { # a folder that nobody else can write
    for home in "${OPENPAI_RUNTIME_HOME:-}" \
      "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/openpai/runtime" \
      "${TMPDIR:-/tmp}/openpai-runtime-$(id -u)"; do
      if [ -n "$home" ] && (umask 077 && mkdir -p "$home") 2>/dev/null &&
        [ ! -L "$home" ] && [ -O "$home" ] && [ -w "$home" ]; then return 0; fi
    done
    return 1
  }
  install() { # into a new folder, renamed when it is complete: of two tasks the first wins
    new=$(umask 077 && mktemp -d "$home.XXXXXX") || return 1
    for carried in @CARRIED@; do # what was carried into the workspace needs no index
      if [ -f "$carried" ] && "$python" -I -m zipfile -e "$carried" "$new" >/dev/null 2>&1 &&
        [ -f "$new/__main__.py" ] && "$python" -I -c "$rename" "$new" "$home" 2>/dev/null; then
        return 0
      fi
    done
    PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore "$python" -I -m pip install \
      --quiet --no-input --retries 2 --disable-pip-version-check --target "$new" "$package" >&2 &&
      echo 'from openpai.runtime.cli.main import main; raise SystemExit(main())' \
        >"$new/__main__.py" &&
      "$python" -I -c "$rename" "$new" "$home" 2>/dev/null || rm -rf "$new"
    [ -f "$home/__main__.py" ]
  }
  start() { # returns only if there is no way to start the runtime
    if [ ! -f "$0" ] || [ ! -r "$0" ]; then
      reason='The script of this task is not in a file, so it cannot be started again.'
      return 1
    fi
    if [ -x "${OPENPAI_RUNTIME:-}" ]; then exec "$OPENPAI_RUNTIME" run -- bash "$0"; fi
    if openpai-runtime --version >/dev/null 2>&1; then exec openpai-runtime run -- bash "$0"; fi
    reason='There is no Python 3.8 or newer to run openpai-runtime with.'
    find_python || return 1
    if "$python" -c "$import" >/dev/null 2>&1; then
      exec "$python" -c "$import; sys.exit(m.main())" run -- bash "$0"
    fi
    reason='There is no folder to install openpai-runtime in.'
    find_folder || return 1
    reason='openpai-runtime could not be installed (what pip says is above).'
    home="$home/@VERSION@-$("$python" -I -c "$label")" || return 1
    [ -f "$home/__main__.py" ] || install || return 1
    exec "$python" "$home" run -- bash "$0"
  }

  start || if [ "$needed" = yes ]; then
    echo "[openpai-runtime] $reason This job needs it for what its runtime section asks for." >&2
    exit 1
  else
    echo "[openpai-runtime] $reason The commands run without it: nothing saves their outputs." >&2
  fi
  unset -f find_python find_folder install start
}
if [ "${OPENPAI_RUNTIME_ACTIVE:-}" != "${FC_POD_UID:-1}" ]; then openpai_bootstrap; fi
unset -f openpai_bootstrap
# --- end of openpai-runtime bootstrap
""".strip()


def bootstrap_text(needed: bool, carried: Sequence[str] = ()) -> str:
    """Return the bash text.

    Args:
        needed: Whether the commands must not run without the runtime.
        carried: Paths in the container where the file of ``openpai-runtime carry`` may be.
    """
    text = _TEXT.replace("@NEEDED@", "yes" if needed else "no")
    text = text.replace("@CARRIED@", " ".join(f"'{path}'" for path in carried) or "''")
    return text.replace("@PACKAGE@", _PACKAGE).replace("@VERSION@", _VERSION)


def add_bootstrap(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a job config (protocol v2) whose roles start under openpai-runtime.

    The bootstrap goes before everything else that a role runs: before the active deployment's
    ``preCommands`` if the role has some, else before its ``commands``. One that is there already,
    of whatever version, is replaced. A job without a runtime section gets none.
    """
    result = without_bootstrap(document)
    section = raw_section(result)
    if section is None or not isinstance(result.get("taskRoles"), dict):
        return result
    needed = isinstance(section, Mapping) and any(section.get(key) for key in NEEDED)
    for role in result["taskRoles"]:
        for commands in _command_lists(result, role):
            commands.insert(0, bootstrap_text(needed, carried_places(result)))
            break
    return result


def carried_places(document: Mapping[str, Any]) -> list[str]:
    """Return where in a container of this job the workspace may hold the runtime in one file.

    PAI mounts a storage at the ``mountPath`` that the job asks for, else at ``/mnt/<name>``. A path
    with other than plain characters would not survive the journey of the text, and is left out.
    """
    section = raw_section(document)
    workspace = section.get("workspace") if isinstance(section, Mapping) else None
    name, _, path = str(workspace or "").partition(":")
    extras = document.get("extras")
    storages = extras.get("storages") if isinstance(extras, Mapping) else None
    mounted = [
        storage["mountPath"]
        for storage in (storages if isinstance(storages, list) else ())
        if isinstance(storage, Mapping) and storage.get("name") == name and "mountPath" in storage
    ]
    places = [f"{root}{path}/{CARRIED}" for root in (*mounted, f"/mnt/{name}")] if path else []
    return [place for place in places if re.match(r"/[\w./@~+=:, -]*$", place, re.ASCII)]


def without_bootstrap(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a job config without any bootstrap."""
    result: dict[str, Any] = _copy(document)
    for holder in _holders(result):
        for key in ("preCommands", "commands"):
            if not isinstance(holder.get(key), list) or not holder[key]:
                continue
            holder[key] = _stripped(holder[key])
            if key == "preCommands" and not holder[key]:
                del holder[key]
    return result


def _copy(value: Any) -> Any:
    """Copy maps and lists; a list that YAML shares between roles becomes one for each."""
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _holders(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every map that may hold commands: roles, and roles of deployments."""
    groups = [document.get("taskRoles")]
    deployments = document.get("deployments")
    for deployment in deployments if isinstance(deployments, list) else ():
        groups.append(deployment.get("taskRoles") if isinstance(deployment, dict) else None)
    for group in groups:
        for holder in group.values() if isinstance(group, dict) else ():
            if isinstance(holder, dict):
                yield holder


def _command_lists(document: Mapping[str, Any], role: str) -> Iterator[list[Any]]:
    """Yield the lists of commands that the role runs, in the order in which they run."""
    defaults = document.get("defaults")
    active = defaults.get("deployment") if isinstance(defaults, dict) else None
    deployments = document.get("deployments")
    for deployment in deployments if isinstance(deployments, list) else ():
        if active is None or not isinstance(deployment, dict) or deployment.get("name") != active:
            continue
        roles = deployment.get("taskRoles")
        own = roles.get(role) if isinstance(roles, dict) else None
        if (
            isinstance(own, dict)
            and isinstance(own.get("preCommands"), list)
            and own["preCommands"]
        ):
            yield own["preCommands"]
    own = document["taskRoles"][role]
    if isinstance(own, dict) and isinstance(own.get("commands"), list):
        yield own["commands"]


def _stripped(commands: list[Any]) -> list[Any]:
    """Drop the bootstrap, also one that some editor has split into a command for each line."""
    kept: list[Any] = []
    inside = False
    for command in commands:
        text = command.strip() if isinstance(command, str) else ""
        inside = inside or text.startswith(_BEGIN)
        if not inside:
            kept.append(command)
        inside = inside and _END not in text
    return kept
