"""Typed description of a job of one task role, and the options that set it.

``opai job sub``, sweeps and notebooks build one :class:`JobSpec`. The metadata of a field is its
:class:`Option`, from which :mod:`openpai.core.cli.job_options` makes options of the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence, TypeVar

from openpai.core.errors import ConfigError
from openpai.core.protocol.job_values import (
    expand_name,
    parse_callback,
    parse_mount,
    parse_port,
    parse_secret,
    parse_variable,
)
from openpai.core.units import mebibytes, parse_duration

if TYPE_CHECKING:
    from openpai.core.protocol.job import Job

__all__ = ["JobSpec", "Option", "option_field"]

Spec = TypeVar("Spec", bound="JobSpec")


@dataclass(frozen=True)
class Option:
    """Command-line option of a field.

    Attributes:
        names: The option's names, such as ``-i`` and ``--image``.
        help: What its value is.
        metavar: The placeholder of the value in help.
        kind: ``text``, ``number``, ``flag``, ``file`` (which exists) or ``path``.
        minimum: The smallest number.
        choices: The only values.
        parse: Reads the value from its text; raises ``ConfigError`` or ``ValueError``.
        multiple: Whether it may be repeated; the field is then a sequence, or a mapping if
            ``parse`` returns pairs and the field's default is a mapping.
        complete: What the shell completes: ``storages`` or ``remote_paths``.
        default_keys: Keys of the layered defaults (``opai set``) that apply without it.
        default: The value without the option, as shown in help.
        also: A second option of the field, used where the first is not given.
    """

    names: Sequence[str]
    help: str
    metavar: str | None = None
    kind: str = "text"
    minimum: int = 1
    choices: Sequence[str] = ()
    parse: Callable[[str], Any] | None = None
    multiple: bool = False
    complete: str = ""
    default_keys: Sequence[str] = ()
    default: str = ""
    also: Option | None = None

    @property
    def full_help(self) -> str:
        """The help text with what applies without the option."""
        return f"{self.help}  [default: {self.default}]" if self.default else self.help


def option_field(
    *names: str,
    help: str,  # noqa: A002 - named as click's
    initial: Any = None,
    in_repr: bool = True,
    **more: Any,
) -> Any:
    """Return a dataclass field with an :class:`Option`.

    Args:
        names: The option's names.
        help: What its value is.
        initial: The field's default.
        in_repr: Whether ``repr`` shows the value; secrets are not shown.
        more: Further attributes of the option.
    """
    metadata = {"option": Option(names, help, **more)}
    if isinstance(initial, dict):
        return field(default_factory=dict, repr=in_repr, metadata=metadata)
    return field(default=initial, repr=in_repr, metadata=metadata)


@dataclass(frozen=True)
class JobSpec:
    """A job of one task role.

    Attributes:
        name: The job's name, ``$`` for random letters; ``None``: one made of the command's.
        image: The docker image.
        gpu: GPUs of each instance.
        cpu: CPUs of each instance.
        memory: MiB of each instance.
        instances: The number of tasks.
        role: The task role's name.
        environment: Variable → value.
        env_files: Files of variables, ``K[=V]`` a line; ``environment`` wins.
        secrets: Variable → value that cannot be read back from the server.
        ports: Label → number of ports of each instance.
        mounts: Items of ``extras.storages``: ``name`` and ``mountPath``.
        retries: How often the job is started again after a failure.
        priority: The priority class on clusters with HiveD.
        sku: The machine type on clusters with HiveD.
        time_limit: Seconds after which the job is ended.
        callbacks: Callbacks of the runtime section.
        virtual_cluster: ``None``: the server's default one.
        workspace: ``NAME:/PATH`` for code and outputs; ``None``: the user's folder on the default
            storage.
        sources: Files and folders to upload as code.
        outputs: Paths or globs to save, relative to the task's working directory.
        requirements: Python packages to install, as pip reads them.
        tags: Tags of the job.
    """

    name: str | None = option_field(
        "-j",
        "--name",
        "--job-name",
        metavar="NAME",
        help="Job name; each $ becomes random letters.",
        default="generated",
    )
    image: str | None = option_field(
        "-i", "--image", metavar="IMAGE", help="Docker image.", default_keys=["image"]
    )
    gpu: int | None = option_field(
        "--gpu",
        kind="number",
        minimum=0,
        help="GPUs of each instance.",
        default="0",
        default_keys=["gpu"],
    )
    cpu: int | None = option_field(
        "--cpu", kind="number", help="CPUs of each instance.", default="2", default_keys=["cpu"]
    )
    memory: int | None = option_field(
        "--mem",
        metavar="SIZE",
        parse=mebibytes,
        help="Memory of each instance, such as 8g.",
        default="4g",
        default_keys=["mem", "memoryMB"],
        also=Option(["--memoryMB"], "Memory of each instance in MiB.", kind="number"),
    )
    instances: int = option_field(
        "--instances", kind="number", initial=1, help="Number of tasks.", default="1"
    )
    role: str = option_field(
        "--role", initial="main", help="Name of the task role.", metavar="NAME", default="main"
    )
    environment: Mapping[str, str] = option_field(
        "-e",
        "--env",
        initial={},
        multiple=True,
        metavar="K[=V]",
        parse=parse_variable,
        help="Environment variable (repeatable); without V, its value here.",
    )
    env_files: Sequence[Path] = option_field(
        "--env-file",
        initial=(),
        multiple=True,
        kind="file",
        metavar="FILE",
        help="File of environment variables, K[=V] a line (repeatable).",
    )
    secrets: Mapping[str, str] = option_field(
        "--secret",
        initial={},
        in_repr=False,
        multiple=True,
        metavar="K",
        parse=parse_secret,
        help="Environment variable of this shell to pass as a secret (repeatable).",
    )
    ports: Mapping[str, int] = option_field(
        "--port",
        initial={},
        multiple=True,
        metavar="LABEL[=N]",
        parse=parse_port,
        help="Ports of each instance (repeatable).",
    )
    mounts: Sequence[Mapping[str, str]] = option_field(
        "--mount",
        initial=(),
        multiple=True,
        metavar="NAME[:/PATH]",
        parse=parse_mount,
        complete="storages",
        help="Storage to mount (repeatable).",
    )
    retries: int | None = option_field(
        "--retries", kind="number", minimum=0, help="Number of retries after a failure."
    )
    priority: str | None = option_field(
        "--priority", choices=["prod", "test", "oppo"], help="HiveD priority class."
    )
    sku: str | None = option_field("--sku", metavar="TYPE", help="HiveD machine type.")
    time_limit: float | None = option_field(
        "--time-limit",
        metavar="TIME",
        parse=parse_duration,
        help="Time after which the job is ended (90s, 10m, 1h30m).",
    )
    callbacks: Sequence[Mapping[str, Any]] = option_field(
        "--on",
        initial=(),
        multiple=True,
        metavar="EVENT=COMMAND",
        parse=parse_callback,
        help="Command to run at an event (repeatable).",
    )
    virtual_cluster: str | None = option_field(
        "--vc",
        "--virtual-cluster",
        metavar="NAME",
        help="Virtual cluster to submit to.",
        default_keys=["virtual-cluster"],
    )
    workspace: str | None = option_field(
        "-w",
        "--workspace",
        metavar="[NAME:]/PATH",
        complete="remote_paths",
        help="Folder for code and outputs, on a storage.",
        default_keys=["workspace"],
    )
    sources: Sequence[Path] = option_field(
        "--src",
        "--sources",
        initial=(),
        multiple=True,
        kind="path",
        metavar="PATH",
        parse=Path,
        help="File or folder of code to upload (repeatable).",
        default_keys=["sources"],
    )
    outputs: Sequence[str] = option_field(
        "--output",
        initial=(),
        multiple=True,
        metavar="GLOB",
        help="Files to save (repeatable).",
    )
    requirements: Sequence[str] = option_field(
        "--pip",
        "--pip-installs",
        initial=(),
        multiple=True,
        metavar="REQUIREMENT",
        help="Python package to install (repeatable).",
        default_keys=["pip-installs"],
    )
    tags: Sequence[str] = option_field(
        "--tag",
        initial=(),
        multiple=True,
        metavar="TAG",
        help="Tag to add to the job (repeatable).",
    )

    @property
    def has_random_name(self) -> bool:
        """Whether the job's name has random letters, so that no other job has it."""
        return not self.name or "$" in self.name

    def with_defaults(self: Spec, default: Callable[[str], Any], *names: str) -> Spec:
        """Return the spec with layered defaults for what is not given.

        Args:
            default: Returns the default of a key (``opai set``).
            names: The only fields to fill; none: all.

        Raises:
            ConfigError: A default is invalid.
        """
        found = {}
        for item in fields(self):
            setting = item.metadata.get("option")
            if setting is None or (names and item.name not in names):
                continue
            if getattr(self, item.name) in (None, (), []):
                values = map(default, setting.default_keys)
                found[item.name] = _parsed(setting, next(filter(_is_given, values), None))
        return replace(self, **{name: value for name, value in found.items() if _is_given(value)})

    def to_job(self, commands: Sequence[str], name: str) -> Job:
        """Return the job that runs these shell lines.

        Args:
            commands: Lines of one bash script.
            name: The job's name if the spec has none.

        Raises:
            ConfigError: There is no image, or a file of variables is invalid.
            OSError: A file of variables cannot be read.
        """
        from openpai.core.protocol.command_job import job_from_command

        if not self.image:
            raise ConfigError(
                "The job needs an image.", "Add --image IMAGE, or run: opai set image=IMAGE"
            )
        resources = {"gpu": self.gpu, "cpu": self.cpu, "memory_mb": self.memory}
        job = job_from_command(
            expand_name(self.name) if self.name else name,
            commands,
            image=self.image,
            role=self.role,
            instances=self.instances,
            ports=self.ports,
            environment=self._variables(),
            secrets=self.secrets,
            virtual_cluster=self.virtual_cluster,
            **{key: amount for key, amount in resources.items() if amount is not None},
        )
        self._add_optional_parts(job)
        return job

    def _variables(self) -> dict[str, str]:
        variables: dict[str, str] = {}
        for path in self.env_files:
            lines = path.read_text(encoding="utf-8").splitlines()
            variables.update(
                parse_variable(line) for line in lines if line.strip() and line[0] != "#"
            )
        return {**variables, **self.environment}

    def _add_optional_parts(self, job: Job) -> None:
        """Add retries, scheduling, mounts and the runtime section."""
        if self.retries is not None:
            job.retries(self.retries)
        if self.priority:
            job.priority(self.priority)
        if self.sku:
            job.sku(self.role, self.sku)
        if self.mounts:
            job.set_extra("storages", list(self.mounts))
        section: dict[str, Any] = {}
        if self.callbacks:
            section["callbacks"] = list(self.callbacks)
        if self.time_limit:
            section["timeout"] = int(self.time_limit)
        if section:
            from openpai.core.protocol.runtime_section import SECTION_KEY

            job.set_extra(SECTION_KEY, {"version": 1, **section})


def _is_given(value: Any) -> bool:
    return value is not None


def _parsed(setting: Option, value: Any) -> Any:
    """Return a layered default as the option would give it."""
    parse = setting.parse
    if setting.multiple and value is not None:
        return tuple(map(parse, value) if parse else value)
    return parse(value) if parse and isinstance(value, str) else value
