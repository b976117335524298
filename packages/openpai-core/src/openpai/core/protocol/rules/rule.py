"""A rule of strict mode, and the registry of all rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator

from openpai.core.protocol.messages import Finding
from openpai.core.protocol.source import Source

__all__ = ["JobView", "Rule", "registered", "rule"]


@dataclass(frozen=True)
class JobView:
    """A job under examination; it may be broken in any way.

    Attributes:
        document: The job.
        source: Its text, if that is what would be sent.
    """

    document: dict[str, Any]
    source: Source | None

    def mapping(self, key: str) -> dict[str, Any]:
        """Return a part of the job that is a mapping; an empty one where it is something else."""
        value = self.document.get(key)
        return value if isinstance(value, dict) else {}

    def items(self, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield index and value of the mappings in a part of the job that is a list."""
        value = self.document.get(key)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield index, item

    def roles(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and value of the task roles."""
        for name, role in self.mapping("taskRoles").items():
            if isinstance(role, dict):
                yield name, role

    def commands(self) -> Iterator[tuple[str, tuple[Any, ...], str]]:
        """Yield (task role, path, text) of every command, deployments included."""
        for name, role in self.roles():
            yield from _texts(name, ("taskRoles", name, "commands"), role.get("commands"))
        for index, item in self.items("deployments"):
            roles = item.get("taskRoles")
            for name, around in roles.items() if isinstance(roles, dict) else ():
                for key in ("preCommands", "postCommands"):
                    if isinstance(around, dict) and name in self.mapping("taskRoles"):
                        path = ("deployments", index, "taskRoles", name, key)
                        yield from _texts(name, path, around.get(key))


def _texts(
    role: str, path: tuple[Any, ...], commands: Any
) -> Iterator[tuple[str, tuple[Any, ...], str]]:
    for index, command in enumerate(commands if isinstance(commands, list) else ()):
        if isinstance(command, str):
            yield role, (*path, index), command


Check = Callable[[JobView], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """One thing that strict mode refuses.

    Attributes:
        name: A short name.
        refused: What is refused.
        otherwise: What happens to such a job on a real cluster.
        check: Finds it in a job.
    """

    name: str
    refused: str
    otherwise: str
    check: Check


_RULES: dict[str, Rule] = {}


def rule(name: str, refused: str, otherwise: str) -> Callable[[Check], Check]:
    """Register a function as a rule."""

    def register(check: Check) -> Check:
        _RULES[name] = Rule(name, refused, otherwise, check)
        return check

    return register


def registered() -> list[Rule]:
    """Return the rules whose modules have been imported."""
    return list(_RULES.values())
