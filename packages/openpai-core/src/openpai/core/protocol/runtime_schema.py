"""The JSON Schema of ``extras["openpai.runtime"]``."""

from __future__ import annotations

from typing import Any, Dict, Iterator

from openpai.core.errors import Problem
from openpai.core.protocol.runtime_check import check_schema

__all__ = ["EVENTS", "MOUNT_TYPES", "NEEDED", "SIGNALS", "check", "section_schema"]

Schema = Dict[str, Any]

EVENTS: dict[str, str] = {
    "start": "before the command",
    "retry": "before the command, when the task or the job was started before",
    "interval": "again and again while the command runs",
    "timeout": "when the command has run for longer than the job's time limit",
    "stop": "when a signal asks the task to end",
    "success": "after the command returned 0",
    "failure": "after the command returned something else, or a signal ended it",
    "exit": "last, whatever happened",
}
"""The events that a callback may wait for, and when each happens."""

NEEDED = (
    "code",
    "git",
    "requirements",
    "mounts",
    "secrets",
    "distributed",
    "waitForPeers",
    "ssh",
)
"""Keys of the section that the command cannot do without."""

SIGNALS: dict[str, int] = {
    "SIGHUP": 1,
    "SIGINT": 2,
    "SIGQUIT": 3,
    "SIGILL": 4,
    "SIGTRAP": 5,
    "SIGABRT": 6,
    "SIGBUS": 7,
    "SIGFPE": 8,
    "SIGKILL": 9,
    "SIGUSR1": 10,
    "SIGSEGV": 11,
    "SIGUSR2": 12,
    "SIGPIPE": 13,
    "SIGALRM": 14,
    "SIGTERM": 15,
    "SIGXCPU": 24,
    "SIGXFSZ": 25,
    "SIGSYS": 31,
}
"""Signals that end programs, by Linux's numbers (containers run Linux, clients may not)."""

MOUNT_TYPES: dict[str, tuple[str, ...]] = {
    "nfs": ("server", "path"),
    "samba": ("address", "username", "password", "domain"),
    "azureFile": ("shareName", "accountName", "accountKey"),
    "azureBlob": ("containerName", "accountName", "accountKey", "accountSASToken"),
}
"""Types of storages that the runtime can mount, and the keys of ``data`` that each knows."""

_DURATION: Schema = {
    "type": ["number", "string"],
    "exclusiveMinimum": 0,
    "pattern": r"^[0-9]+(\.[0-9]+)?(s|m|h)$",
}
_FOREIGN_EVENT = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+$"
_RELATIVE = r"^(?!/)(?!(.*/)?\.\.(/|$)).+$"
_ROLES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "description": "The name of a task role."},
    "description": "The task roles that this is for; all of them without this key.",
}


def _object(description: str, required: list[str], properties: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def _text(description: str, pattern: str = r"\S") -> Schema:
    return {"type": "string", "pattern": pattern, "description": description}


def _duration(description: str) -> Schema:
    return {**_DURATION, "description": f"{description} Seconds, or a text such as 90s, 5m, 2h."}


def _choice(description: str, *values: str) -> Schema:
    return {"enum": list(values), "default": values[0], "description": description}


def _list(description: str, items: Schema) -> Schema:
    return {"type": "array", "description": description, "items": items}


_EXIT_CODES: Schema = {
    **_list(
        "Exit codes (128+n for signal n).",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": 255,
            "description": "An exit code from 1 to 255.",
        },
    ),
    "minItems": 1,
}
_SIGNALS: Schema = {
    **_list("Signals, as SIGTERM.", {"enum": list(SIGNALS), "description": "A signal's name."}),
    "minItems": 1,
}
_LOG_PATTERNS: Schema = {
    **_list(
        "Regular expressions (Python's) looked for in each line near the end of the task's log.",
        _text("A regular expression such as 'CUDA out of memory'."),
    ),
    "minItems": 1,
}


def _condition(description: str) -> Schema:
    properties = {
        "exitCodes": _EXIT_CODES,
        "signals": _SIGNALS,
        "logPatterns": _LOG_PATTERNS,
    }
    return {**_object(description, [], properties), "minProperties": 1}


_CODE = _object(
    "The code of the job, fetched and unpacked before the command runs.",
    ["archive", "sha256"],
    {
        "archive": _text(
            "The archive (tar.gz): a path below the job's folder, an absolute path on the "
            "workspace's storage, or NAME:/PATH on another storage."
        ),
        "sha256": _text("SHA-256 of the archive, 64 hexadecimal digits.", r"^[0-9a-f]{64}$"),
        "directory": {
            **_text("Where to unpack it, relative to the working directory.", _RELATIVE),
            "default": ".",
        },
    },
)

_OUTPUT = _object(
    "Files to save into the job's output folder when the command has ended.",
    ["path"],
    {
        "path": _text(
            "A path or glob (*, ?, [], ** for any depth) relative to the working directory; a "
            "folder stands for all that is in it.",
            _RELATIVE,
        ),
        "when": _choice("Which end of the command saves them.", "always", "success", "failure"),
        "every": _duration("Save them also while the command runs, each time this much passed."),
        "taskRoles": _ROLES,
    },
)

_MOUNT = _object(
    "A storage that has to be reachable under a path before the command runs.",
    ["storage", "path"],
    {
        "storage": _text("The storage's name."),
        "path": _text("The absolute path under which the command looks for it.", r"^/"),
        "readOnly": {
            "type": "boolean",
            "default": False,
            "description": "Whether the command only reads there.",
        },
        "type": {
            "enum": list(MOUNT_TYPES),
            "description": "Where the platform does not mount it: the storage's type. The runtime "
            "then mounts it itself or, if it is only read, copies it.",
        },
        "data": {
            "type": "object",
            "description": "With a type: the address, by the names that the REST API has for it: "
            + "; ".join(f"{name}: {', '.join(keys)}" for name, keys in MOUNT_TYPES.items())
            + ".",
        },
        "secrets": {
            "type": "object",
            "description": "With a type: names of secrets of the job for further keys of data.",
        },
    },
)

_GIT = _object(
    "A git repository, checked out before the command runs.",
    ["repository", "commit"],
    {
        "repository": _text("What git clone takes: a URL, user@host:path, a path.", r"^[^-\s]\S*$"),
        "commit": _text("A commit, tag or branch.", r"^[^-\s]\S*$"),
        "directory": {
            **_text("Where to put it, relative to the working directory.", _RELATIVE),
            "default": ".",
        },
        "secret": _text("The name of a secret of the job that holds a password or access token."),
    },
)

_TENSORBOARD = _object(
    "Runs TensorBoard beside the command, in the first task of the first role.",
    ["logdir"],
    {
        "logdir": _text("The folder with the logs."),
        "port": {
            **_text("The label of the port that it listens on."),
            "default": "http",
        },
    },
)

_CALLBACK = _object(
    "What to do when something happens to the task: commands to run, or a function to call.",
    ["on"],
    {
        "on": {
            "anyOf": [{"enum": list(EVENTS)}, {"type": "string", "pattern": _FOREIGN_EVENT}],
            "description": "The event: "
            + "; ".join(f"{name}: {when}" for name, when in EVENTS.items())
            + "; or one of an installed package, whose name has a dot.",
        },
        "commands": {
            **_list(
                "Lines of one shell script (bash where there is one).",
                _text("A line of a shell script.", ""),
            ),
            "minItems": 1,
        },
        "call": _text(
            "Instead of commands: a function that an installed package offers under this name in "
            "the entry-point group openpai.runtime."
        ),
        "taskRoles": _ROLES,
        "exitCodes": {
            **_EXIT_CODES,
            "description": "Only for on: failure. The exit codes that it is for (128+n for signal "
            "n). Of several conditions each has to hold.",
        },
        "signals": {
            **_SIGNALS,
            "description": "Only for on: failure, the signals that ended the command; or for on: "
            "stop, those that asked the task to end.",
        },
        "logPatterns": {
            **_LOG_PATTERNS,
            "description": "Only for on: failure. Regular expressions (Python's), one of which "
            "has to be found in a line near the end of the task's log.",
        },
        "every": _duration("Only for on: interval. The time from one call to the next."),
        "timeout": {**_duration("The callback is ended after this time."), "default": 60},
        "failurePolicy": _choice(
            "What its failure does: nothing, or fail the task if the command did not fail itself.",
            "ignore",
            "fail",
        ),
    },
)

_RETRY = _object(
    "Whether PAI is to start the task again after a failure, whatever it thinks of the exit code.",
    [],
    {
        "again": _condition("Failures after which it is started again."),
        "never": _condition("Failures after which it is not."),
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "default": 3,
            "description": "How often it may be started again for this; PAI itself has no limit.",
        },
    },
)

_SECRET = _object(
    "A secret of the job (its key 'secrets') in the environment of the command and of callbacks.",
    ["name"],
    {
        "name": _text("The secret's name; a dot leads into a map."),
        "variable": _text(
            "The variable; without it, the name itself.", r"^[A-Za-z_][A-Za-z0-9_]*$"
        ),
    },
)

_SECTION = _object(
    "What openpai-runtime does around the commands of the job.",
    [],
    {
        "version": {
            "type": "integer",
            "const": 1,
            "description": "The version of this section's form.",
        },
        "workspace": _text(
            "NAME:/PATH of the workspace; the job's folder is jobs/<job> in it.", r"^[^:/\s]+:/"
        ),
        "code": _CODE,
        "outputs": _list("What to save.", _OUTPUT),
        "requirements": _list(
            "Python packages that the command needs, as pip reads them.",
            _text("A requirement such as pandas==2.2.3.", r"^[^-\s]"),
        ),
        "git": _list("Git repositories that the command needs.", _GIT),
        "mounts": _list("Storages that the command needs.", _MOUNT),
        "callbacks": _list("What to run when something happens.", _CALLBACK),
        "secrets": _list("Secrets that the command needs as variables.", _SECRET),
        "retry": _RETRY,
        "distributed": {
            "enum": ["pytorch", "tensorflow", "mpi"],
            "description": "The framework whose variables are set from PAI's: MASTER_ADDR and "
            "such (pytorch), TF_CONFIG (tensorflow), or a host file (mpi).",
        },
        "waitForPeers": _duration(
            "The command is started when all tasks of the job are about to start theirs, or not at "
            "all if that takes longer than this."
        ),
        "ssh": {
            "type": "boolean",
            "default": False,
            "description": "Whether tasks reach each other by ssh ROLE-INDEX, with keys made for "
            "this job alone.",
        },
        "tensorboard": _TENSORBOARD,
        "timeout": _duration("The command is ended (SIGTERM, later SIGKILL) after this time."),
        "gracePeriod": {
            **_duration("The time from SIGTERM to SIGKILL that the cluster gives a task."),
            "default": 30,
        },
    },
)


def section_schema() -> Schema:
    """Return a copy of the JSON Schema (draft 7) of ``extras["openpai.runtime"]``."""
    from copy import deepcopy

    return deepcopy(_SECTION)


def check(value: Any, pointer: str) -> Iterator[Problem]:
    """Yield what is wrong with a section, in its own order, as the JSON Schema says.

    Args:
        value: What the YAML or JSON holds.
        pointer: The JSON pointer of ``value`` in the job config.
    """
    return check_schema(value, pointer, _SECTION)
