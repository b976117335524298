"""Parts of the runtime section: code, outputs, mounts, callbacks and what they may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from openpai.core.protocol.runtime_fields import (
    Part,
    boolean,
    choice,
    duration,
    integer,
    items,
    mapping,
    part,
    string,
)

__all__ = [
    "EVENTS",
    "MOUNT_TYPES",
    "NEEDED",
    "SIGNALS",
    "Callback",
    "Code",
    "Condition",
    "Git",
    "Mount",
    "Output",
    "Retry",
    "Secret",
    "Tensorboard",
]

EVENTS: dict[str, str] = {
    "start": "before the command",
    "retry": "before the command, when the task or the job was started before",
    "interval": "repeatedly while the command runs",
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
_FOREIGN_EVENT = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+$"
_RELATIVE = r"^(?!/)(?!(.*/)?\.\.(/|$)).+$"
_GIT_WORD = r"^[^-\s]\S*$"

_ROLES = items(
    "The task roles that this is for; all of them without this key.",
    string("The name of a task role.", ""),
    least=1,
)
_EXIT_CODE = integer("An exit code from 1 to 255.", 1, 255)
_SIGNAL = choice("A signal's name.", *SIGNALS)
_LOG_PATTERN = string("A regular expression such as 'CUDA out of memory'.")


@dataclass(eq=False, repr=False)
class Code(Part):
    """The code of the job, fetched and unpacked before the command runs."""

    archive: str = field(
        metadata=string(
            "The archive (tar.gz): a path below the job's folder, an absolute path on the "
            "workspace's storage, or NAME:/PATH on another storage."
        )
    )
    sha256: str = field(
        metadata=string("SHA-256 of the archive, 64 hexadecimal digits.", r"^[0-9a-f]{64}$")
    )
    directory: str = field(
        default=".",
        metadata=string("Where to unpack it, relative to the working directory.", _RELATIVE),
    )


@dataclass(eq=False, repr=False)
class Output(Part):
    """Files to save into the job's output folder when the command has ended."""

    path: str = field(
        metadata=string(
            "A path or glob (*, ?, [], ** for any depth) relative to the working directory; a "
            "folder stands for all that is in it.",
            _RELATIVE,
        )
    )
    when: str = field(
        default="always",
        metadata=choice("Which end of the command saves them.", "always", "success", "failure"),
    )
    every: float | None = field(
        default=None,
        metadata=duration("Save them also while the command runs, each time this much passed."),
    )
    task_roles: Sequence[str] = field(default=(), metadata=_ROLES)


@dataclass(eq=False, repr=False)
class Mount(Part):
    """A storage that has to be reachable under a path before the command runs."""

    storage: str = field(metadata=string("The storage's name."))
    path: str = field(
        metadata=string("The absolute path under which the command looks for it.", r"^/")
    )
    read_only: bool = field(
        default=False, metadata=boolean("Whether the command only reads there.")
    )
    type: str | None = field(
        default=None,
        metadata=choice(
            "Where the platform does not mount it: the storage's type. The runtime then mounts it "
            "itself or, if it is only read, copies it.",
            *MOUNT_TYPES,
        ),
    )
    data: Mapping[str, Any] = field(
        default_factory=dict,
        metadata=mapping(
            "With a type: the address, by the names that the REST API has for it: "
            + "; ".join(f"{name}: {', '.join(keys)}" for name, keys in MOUNT_TYPES.items())
            + "."
        ),
    )
    secrets: Mapping[str, str] = field(
        default_factory=dict,
        metadata=mapping("With a type: names of secrets of the job for further keys of data."),
    )


@dataclass(eq=False, repr=False)
class Git(Part):
    """A git repository, checked out before the command runs."""

    repository: str = field(
        metadata=string("What git clone takes: a URL, user@host:path, a path.", _GIT_WORD)
    )
    commit: str = field(metadata=string("A commit, tag or branch.", _GIT_WORD))
    directory: str = field(
        default=".",
        metadata=string("Where to put it, relative to the working directory.", _RELATIVE),
    )
    secret: str | None = field(
        default=None,
        metadata=string("The name of a secret of the job that holds a password or access token."),
    )


@dataclass(eq=False, repr=False)
class Tensorboard(Part):
    """Runs TensorBoard beside the command, in the first task of the first role."""

    logdir: str = field(metadata=string("The folder with the logs."))
    port: str = field(default="http", metadata=string("The label of the port that it listens on."))


@dataclass(eq=False, repr=False)
class Secret(Part):
    """A secret of the job (key 'secrets') in the environment of the command and of callbacks."""

    name: str = field(metadata=string("The secret's name; a dot leads into a map."))
    variable: str | None = field(
        default=None,
        metadata=string("The variable; without it, the name itself.", r"^[A-Za-z_][A-Za-z0-9_]*$"),
    )


@dataclass(eq=False, repr=False)
class Condition(Part):
    """Condition on a failure: all given keys must match."""

    least_keys = 1

    exit_codes: Sequence[int] = field(
        default=(), metadata=items("Exit codes (128+n for signal n).", _EXIT_CODE, 1)
    )
    signals: Sequence[str] = field(default=(), metadata=items("Signals, as SIGTERM.", _SIGNAL, 1))
    log_patterns: Sequence[str] = field(
        default=(),
        metadata=items(
            "Regular expressions (Python's) looked for in each line near the end of the task's "
            "log.",
            _LOG_PATTERN,
            1,
        ),
    )


@dataclass(eq=False, repr=False)
class Retry(Part):
    """Whether PAI starts the task again after a failure, whatever it makes of the exit code."""

    again: Condition | None = field(
        default=None,
        metadata=part(Condition, "Failures after which it is started again."),
    )
    never: Condition | None = field(
        default=None, metadata=part(Condition, "Failures after which it is not.")
    )
    limit: int = field(
        default=3,
        metadata=integer(
            "How often it may be started again for this; PAI itself has no limit.", 1, 1000
        ),
    )


@dataclass(eq=False, repr=False)
class Callback(Part):
    """Callback on an event of the task: commands to run, or a function to call."""

    on: str = field(
        metadata={
            "schema": {
                "anyOf": [
                    {"enum": list(EVENTS)},
                    {"type": "string", "pattern": _FOREIGN_EVENT},
                ],
                "description": "The event: "
                + "; ".join(f"{name}: {when}" for name, when in EVENTS.items())
                + "; or one of an installed package, whose name has a dot.",
            }
        }
    )
    commands: Sequence[str] = field(
        default=(),
        metadata=items(
            "Lines of one shell script (bash where there is one).",
            string("A line of a shell script.", ""),
            1,
        ),
    )
    call: str | None = field(
        default=None,
        metadata=string(
            "Instead of commands: a function that an installed package offers under this name in "
            "the entry-point group openpai.runtime."
        ),
    )
    task_roles: Sequence[str] = field(default=(), metadata=_ROLES)
    exit_codes: Sequence[int] = field(
        default=(),
        metadata=items(
            "Only for on: failure. The exit codes that it is for (128+n for signal n). Of several "
            "conditions each has to hold.",
            _EXIT_CODE,
            1,
        ),
    )
    every: float | None = field(
        default=None,
        metadata=duration("Only for on: interval. The time from one call to the next."),
    )
    timeout: float = field(
        default=60.0, metadata=duration("The callback is ended after this time.")
    )
    failure_policy: str = field(
        default="ignore",
        metadata=choice(
            "What its failure does: nothing, or fail the task if the command did not fail itself.",
            "ignore",
            "fail",
        ),
    )
    signals: Sequence[str] = field(
        default=(),
        metadata=items(
            "Only for on: failure, the signals that ended the command; or for on: stop, those "
            "that asked the task to end.",
            _SIGNAL,
            1,
        ),
    )
    log_patterns: Sequence[str] = field(
        default=(),
        metadata=items(
            "Only for on: failure. Regular expressions (Python's), one of which has to be found "
            "in a line near the end of the task's log.",
            _LOG_PATTERN,
            1,
        ),
    )
