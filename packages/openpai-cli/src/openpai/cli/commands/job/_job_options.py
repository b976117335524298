"""The options of ``opai job sub`` that describe the job, and the job they describe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli.commands.job._submission_options import (
    job_name,
)
from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp
from openpai.core.cli import complete_storages, mebibytes, seconds

if TYPE_CHECKING:
    from openpai.core.protocol import Job

__all__ = ["describe", "description_options"]

F = TypeVar("F", bound=Callable[..., Any])

LOCAL_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _number(*names: str, at_least: int = 1, **kwargs: Any) -> Callable[[F], F]:
    return click.option(*names, metavar="N", type=click.IntRange(min=at_least), **kwargs)


def _list(*names: str, **kwargs: Any) -> Callable[[F], F]:
    return click.option(*names, multiple=True, **kwargs)


_OPTIONS = (
    click.option("-i", "--image", help="Docker image."),
    _number("--gpu", at_least=0, help="GPUs of each instance.  [default: 0]"),
    _number("--cpu", help="CPUs of each instance.  [default: 2]"),
    click.option("--mem", type=mebibytes, metavar="SIZE", help="Its memory.  [default: 4g]"),
    _number("--memoryMB", "memory_mb", help="The same in MiB."),
    _number("--instances", default=1, help="How many tasks run.  [default: 1]"),
    click.option("--role", default="main", help="The task role's name.  [default: main]"),
    _list("-e", "--env", "variables", metavar="K[=V]", help="Set a variable."),
    _list("--env-file", "env_files", type=LOCAL_FILE, help="Variables, one K[=V] a line."),
    _list("--secret", "secrets", metavar="K", help="A variable of this shell, kept secret."),
    _list("--port", "ports", metavar="LABEL[=N]", help="Ports of each instance."),
    _list(
        "--mount",
        "mounts",
        metavar="NAME[:/PATH]",
        shell_complete=complete_storages,
        help="Mount a storage there.",
    ),
    _number("--retries", at_least=0, help="Start again up to N times after a failure."),
    click.option("--priority", type=click.Choice(("prod", "test", "oppo")), help="With HiveD."),
    click.option("--sku", metavar="TYPE", help="The kind of machine, with HiveD."),
    click.option("--time-limit", type=seconds, metavar="TIME", help="End it after this time."),
    _list("--on", "callbacks", metavar="EVENT=COMMAND", help="Run a command at an event."),
    click.option("--no-browser", is_flag=True, hidden=True, expose_value=False),
)


def description_options(function: F) -> F:
    """The options that describe a job of one command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def describe(app: CliApp, words: tuple[str, ...], options: dict[str, Any]) -> Job:
    """Return the job that the options describe.

    Raises:
        UsageError: An option makes no sense, or no image is known.
    """
    from openpai.core.protocol import command_line, default_name, job_from_command

    image = options["image"] or app.default("image")
    if not image:
        raise UsageError(
            "The job needs an image.", "Add --image IMAGE, or run: opai set image=IMAGE"
        )
    job = job_from_command(
        job_name(options["name"]) or default_name(words),
        [command_line(words)],
        image=image,
        role=options["role"],
        instances=options["instances"],
        ports=dict(map(_port, options["ports"])),
        environment=dict(_variables(options)),
        secrets=dict(map(_here, options["secrets"])),
        virtual_cluster=options["virtual_cluster"] or app.default("virtual-cluster"),
        **_resources(app, options),
    )
    _add_rest(job, options)
    return job


def _resources(app: CliApp, options: dict[str, Any]) -> dict[str, int]:
    """Fill in the layered defaults; a size with a unit wins over MiB, as it always did."""
    found = {
        key: app.default(key) if options[key] is None else options[key] for key in ("gpu", "cpu")
    }
    memory = options["mem"] or options["memory_mb"]
    if memory is None:
        default = app.default("mem")
        memory = app.default("memoryMB") if default is None else mebibytes(str(default))
    return {**found, "memory_mb": memory}


def _add_rest(job: Job, options: dict[str, Any]) -> None:
    """Add what most jobs go without."""
    if options["retries"] is not None:
        job.retries(options["retries"])
    if options["priority"]:
        job.priority(options["priority"])
    if options["sku"]:
        job.sku(options["role"], options["sku"])
    if options["mounts"]:
        job.set_extra("storages", [_mount(text) for text in options["mounts"]])
    section: dict[str, Any] = {}
    if options["callbacks"]:
        section["callbacks"] = [_callback(text) for text in options["callbacks"]]
    if options["time_limit"]:
        section["timeout"] = int(options["time_limit"])
    if section:
        from openpai.core.protocol import SECTION_KEY

        job.set_extra(SECTION_KEY, {"version": 1, **section})


def _variables(options: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the variables; a later one of the same name wins, and options win over files."""
    for path in options["env_files"]:
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (_variable(line) for line in lines if line.strip() and line[0] != "#")
    yield from map(_variable, options["variables"])


def _variable(text: str) -> tuple[str, str]:
    """Read ``K=V``, or ``K`` with the value that it has here."""
    key, equals, value = text.partition("=")
    return (_named(key), value) if equals else _here(key)


def _here(key: str) -> tuple[str, str]:
    if _named(key) not in os.environ:
        raise UsageError(f"The variable '{key}' is not set here.", f"Set it: export {key}=VALUE")
    return key, os.environ[key]


def _named(key: str) -> str:
    if not key.isidentifier() or not key.isascii():
        raise UsageError(f"invalid variable name '{key}'", "Write NAME=VALUE.")
    return key


def _port(text: str) -> tuple[str, int]:
    """Read ``LABEL=COUNT``, or ``LABEL`` for one port."""
    label, _, count = text.partition("=")
    if count and not count.isdigit():
        raise UsageError(f"invalid number of ports '{count}'", "Write --port LABEL=COUNT.")
    return label, int(count or 1)


def _mount(text: str) -> dict[str, str]:
    """Read ``NAME`` or ``NAME:/PATH``."""
    name, colon, path = text.partition(":")
    if not name or (colon and not path.startswith("/")):
        raise UsageError(f"invalid mount '{text}'", "Write --mount NAME or --mount NAME:/PATH.")
    return {"name": name, "mountPath": path} if path else {"name": name}


def _callback(text: str) -> dict[str, Any]:
    """Read ``EVENT=COMMAND``, ``failure:137,SIGSEGV=COMMAND`` or ``interval:10m=COMMAND``."""
    from openpai.core.protocol import EVENTS

    when, equals, command = text.partition("=")
    event, _, detail = when.partition(":")
    known = event in EVENTS or "." in event  # those of other packages have a dot
    if not equals or not known or not command or bool(detail) < (event == "interval"):
        raise UsageError(
            f"invalid callback '{text}'",
            f"Write --on EVENT=COMMAND; events are {', '.join(EVENTS)} (as interval:10m).",
        )
    if event == "interval":
        return {"on": event, "every": detail, "commands": [command]}
    words = detail.split(",") if detail else []
    conditions = {
        "exitCodes": [int(word) for word in words if word.isdigit()],
        "signals": [word for word in words if not word.isdigit()],
    }
    given = {key: values for key, values in conditions.items() if values}
    return {"on": event, **given, "commands": [command]}
