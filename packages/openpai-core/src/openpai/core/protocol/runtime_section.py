"""``extras["openpai.runtime"]``: what a job asks of openpai-runtime.

::

    extras:
      openpai.runtime:
        version: 1
        workspace: team-nfs:/users/alice
        code: {archive: code/<sha256>.tar.gz, sha256: …, directory: .}
        outputs:
          - {path: "ckpt/**", when: always}
        callbacks:
          - {"on": failure, exitCodes: [137], commands: [nvidia-smi]}

The client writes the section and the runtime reads it in the container. The fields of the
dataclasses give its JSON Schema; a key is the field's name in camelCase.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from openpai.core.errors import Problem, ProtocolError
from openpai.core.protocol.runtime_fields import (
    Part,
    Schema,
    boolean,
    choice,
    duration,
    items,
    part,
    problem,
    string,
)
from openpai.core.protocol.runtime_parts import (
    Callback,
    Code,
    Git,
    Mount,
    Output,
    Retry,
    Secret,
    Tensorboard,
)

__all__ = [
    "SECTION_KEY",
    "RuntimeSection",
    "raw_section",
    "read_section",
    "secret_value",
    "section_schema",
]

SECTION_KEY = "openpai.runtime"
"""The section's key in ``extras``."""


@dataclass(eq=False, repr=False)
class RuntimeSection(Part):
    """The runtime section: what openpai-runtime does around the commands of a job."""

    version: int = field(
        default=1,
        metadata={
            "schema": {
                "type": "integer",
                "enum": [1],
                "description": "The version of this section's form.",
            }
        },
    )
    workspace: str | None = field(
        default=None,
        metadata=string(
            "NAME:/PATH of the workspace; the job's folder is jobs/<job> in it.", r"^[^:/\s]+:/"
        ),
    )
    code: Code | None = field(default=None, metadata=part(Code))
    outputs: Sequence[Output] = field(default=(), metadata=items("What to save.", part(Output)))
    requirements: Sequence[str] = field(
        default=(),
        metadata=items(
            "Python packages that the command needs, as pip reads them.",
            string("A requirement such as pandas==2.2.3.", r"^[^-\s]"),
        ),
    )
    git: Sequence[Git] = field(
        default=(), metadata=items("Git repositories that the command needs.", part(Git))
    )
    mounts: Sequence[Mount] = field(
        default=(), metadata=items("Storages that the command needs.", part(Mount))
    )
    callbacks: Sequence[Callback] = field(
        default=(), metadata=items("What to run when something happens.", part(Callback))
    )
    secrets: Sequence[Secret] = field(
        default=(), metadata=items("Secrets that the command needs as variables.", part(Secret))
    )
    retry: Retry | None = field(default=None, metadata=part(Retry))
    distributed: str | None = field(
        default=None,
        metadata=choice(
            "The framework whose variables are set from PAI's: MASTER_ADDR and such (pytorch), "
            "TF_CONFIG (tensorflow), or a host file (mpi).",
            "pytorch",
            "tensorflow",
            "mpi",
        ),
    )
    wait_for_peers: float | None = field(
        default=None,
        metadata=duration(
            "The command is started when all tasks of the job are about to start theirs, or not "
            "at all if that takes longer than this."
        ),
    )
    ssh: bool = field(
        default=False,
        metadata=boolean(
            "Whether tasks reach each other by ssh ROLE-INDEX, with keys made for this job alone."
        ),
    )
    tensorboard: Tensorboard | None = field(default=None, metadata=part(Tensorboard))
    timeout: float | None = field(
        default=None,
        metadata=duration("The command is ended (SIGTERM, later SIGKILL) after this time."),
    )
    grace_period: float = field(
        default=30.0,
        metadata=duration("The time from SIGTERM to SIGKILL that the cluster gives a task."),
    )

    @classmethod
    def from_job(cls, document: Mapping[str, Any]) -> RuntimeSection | None:
        """Read the section of a job; ``None`` when it has none.

        Raises:
            ProtocolError: It cannot be read; ``problems`` says where and why.
        """
        data = raw_section(document)
        return None if data is None else cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Any) -> RuntimeSection:
        """Read a section.

        Raises:
            ProtocolError: It cannot be read; ``problems`` says where and why.
        """
        section, problems = read_section(data)
        if section is None:
            raise ProtocolError(f"invalid section extras['{SECTION_KEY}']", problems)
        return section

    def to_dict(self) -> dict[str, Any]:
        """Return the map that goes under ``extras["openpai.runtime"]``."""
        return {"version": 1, **super().to_dict()}

    def outputs_of(self, role: str) -> list[Output]:
        """Return the outputs that tasks of a role write."""
        return [o for o in self.outputs if not o.task_roles or role in o.task_roles]

    @property
    def needs_preparation(self) -> bool:
        """Whether something has to be fetched or waited for before the command."""
        parts = (self.code, self.git, self.requirements, self.mounts, self.wait_for_peers)
        return self.ssh or any(parts)


def section_schema() -> Schema:
    """Return a copy of the JSON Schema (draft 7) of the section."""
    from copy import deepcopy

    return deepcopy(RuntimeSection.schema())


def raw_section(document: Mapping[str, Any]) -> Any:
    """Return what a job holds under ``extras["openpai.runtime"]``, or ``None``."""
    extras = document.get("extras")
    return extras.get(SECTION_KEY) if isinstance(extras, Mapping) else None


def read_section(data: Any) -> tuple[RuntimeSection | None, list[Problem]]:
    """Return a section and what keeps it from being read; ``None`` if there is anything."""
    path = ("extras", SECTION_KEY)
    if not isinstance(data, dict):
        hint = str(RuntimeSection.__doc__)
        return None, [problem(path, "The section must be a mapping.", hint)]
    problems: list[Problem] = []
    return RuntimeSection.read(data, path, problems), problems


def secret_value(secrets: Mapping[str, Any], name: str) -> str | None:
    """Return a secret as a string; ``None`` if there is none of that name, or if it is a map.

    Args:
        secrets: The job's secrets.
        name: A key; a dot leads into a map, unless a key is written with it.
    """
    value: Any = secrets.get(name)
    if value is None:
        value = secrets
        for step in name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return None if value is None or isinstance(value, (Mapping, list)) else str(value)
