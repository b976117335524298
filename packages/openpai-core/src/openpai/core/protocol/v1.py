"""Jobs of protocol version 1, the JSON of PAI's YARN days, made into jobs of version 2.

PAI once had a converter, to show old jobs; this one keeps what a job does. The places where the two
versions mean different things by the same word are in protocol.md §9: above all, null in a
completion policy was *never* in version 1 and is the default in version 2.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import Any, Mapping

from openpai.core.errors import ProtocolError
from openpai.core.protocol.job import Job
from openpai.core.protocol.names import convert_name

__all__ = ["Conversion", "convert_v1", "is_v1"]

_IMAGE = "image"
_FOLDERS = {
    "dataDir": ("data", "PAI_DATA_DIR"),
    "outputDir": ("output", "PAI_OUTPUT_DIR"),
    "codeDir": ("script", "PAI_CODE_DIR"),
}
_PLACEHOLDERS = ("$PAI_DEFAULT_FS_URI", "$PAI_JOB_NAME", "$PAI_USER_NAME", "$PAI_USERNAME")


@dataclass(frozen=True)
class Conversion:
    """A converted job.

    Attributes:
        job: The job, of version 2.
        lost: What could not be kept, one sentence each.
    """

    job: Job
    lost: list[str] = field(default_factory=list)


def is_v1(document: Mapping[str, Any]) -> bool:
    """Whether a job is of version 1."""
    return "jobName" in document and "protocolVersion" not in document


def convert_v1(document: Mapping[str, Any]) -> Conversion:
    """Make a job of version 2 of one of version 1.

    Args:
        document: The old job, as JSON gave it.

    Raises:
        ProtocolError: It is not a job of version 1.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("taskRoles"), list):
        raise ProtocolError(
            "Not a job of version 1: it has no list of taskRoles.",
            hint="Version 1 is JSON with jobName, image and a list of taskRoles.",
        )
    return _Converter(document).convert()


class _Converter:
    """Converts one job.

    Attributes:
        old: The old job.
        lost: What could not be kept.
        setup: Lines that run before the commands of every role.
    """

    def __init__(self, old: Mapping[str, Any]) -> None:
        self.old = old
        self.lost: list[str] = []
        self.setup: list[str] = []
        self.job = Job(self._name())

    def convert(self) -> Conversion:
        self.job.image(str(self.old.get("image", "")), _IMAGE)
        bound = self._folders()
        self._environment()
        renamed = self._role_names()
        for role in self.old["taskRoles"]:
            self._role(role, renamed, bound)
        self._options()
        return Conversion(self.job, self.lost)

    def _name(self) -> str:
        old = str(self.old.get("jobName", "job"))
        new = re.sub(r"[^A-Za-z0-9_-]", "_", old)[:255] or "job"
        if new != old:
            self.lost.append(
                f"The name '{old}' is not allowed any more; the job is called '{new}'."
            )
        return new

    def _folders(self) -> dict[str, str]:
        """Name data, output and code; version 1 set a variable for each, and copied the code."""
        bound = {}
        for key, (kind, variable) in _FOLDERS.items():
            uri = self.old.get(key)
            if not uri:
                continue
            uri = str(uri)
            self.job.prerequisite(
                {"name": kind, "type": kind, "uri": [uri] if kind == "data" else uri}
            )
            bound[kind] = kind
            self.setup.append(f"export {variable}={shlex.quote(uri)}")
            if any(placeholder in uri for placeholder in _PLACEHOLDERS):
                self.lost.append(f"'{key}' has a variable that is not filled in any more: {uri}")
            if key == "codeDir":
                self.lost.append(
                    f"Version 1 copied '{uri}' into the working directory; now only "
                    f"${variable} names it: fetch it in a command."
                )
        return bound

    def _environment(self) -> None:
        values = dict(self.old.get("jobEnvs") or {})
        for key in ("isDebug", "paiAzRDMA"):
            if values.pop(key, None):
                self.lost.append(f"'jobEnvs.{key}' has no counterpart.")
        for key, value in values.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            self.setup.append(f"export {key}={shlex.quote(text)}")

    def _role_names(self) -> dict[str, str]:
        """Return the new name of each task role: version 2 has lower-case letters and digits."""
        renamed: dict[str, str] = {}
        for index, role in enumerate(self.old["taskRoles"]):
            old = str(role.get("name", f"role{index}"))
            new = convert_name(old)[:63] or f"role{index}"
            while new in renamed.values():
                new = f"{new[:60]}{index}"
            renamed[old] = new
            if new != old:
                self.lost.append(
                    f"The task role '{old}' is called '{new}' now, also in the names of variables."
                )
        return renamed

    def _role(
        self, role: Mapping[str, Any], renamed: Mapping[str, str], bound: Mapping[str, str]
    ) -> None:
        old = str(role.get("name", next(iter(renamed))))
        ports = {}
        for port in role.get("portList") or ():
            ports[re.sub(r"\W", "_", str(port.get("label")))] = int(port.get("portNumber", 1))
            if port.get("beginAt"):
                self.lost.append(
                    f"The fixed port {port['beginAt']} of '{old}': version 2 chooses ports itself."
                )
        self.job.role(
            renamed[old],
            [*self.setup, _with_new_names(str(role.get("command", "")), renamed)],
            instances=int(role.get("taskNumber") or 1),
            cpu=int(role.get("cpuNumber") or 1),
            gpu=int(role.get("gpuNumber") or 0),
            memory=int(role.get("memoryMB") or 100),
            shm=int(role.get("shmMB") or 64),
            ports=ports,
            image=_IMAGE,
            data=bound.get("data"),
            script=bound.get("script"),
            output=bound.get("output"),
            min_failed=_never(role.get("minFailedTaskCount", 1)),
            min_succeeded=_never(role.get("minSucceededTaskCount")),
        )

    def _options(self) -> None:
        old, job = self.old, self.job
        if old.get("virtualCluster"):
            job.virtual_cluster(str(old["virtualCluster"]))
        retries = int(old.get("retryCount") or 0)
        job.retries(max(retries, 0))
        if retries < 0:
            self.lost.append(
                f"'retryCount: {retries}' (retry without end) is not allowed any more."
            )
        if old.get("gpuType"):
            self.lost.append(
                f"'gpuType: {old['gpuType']}': choose a SKU with HiveD, or a virtual cluster."
            )
        if old.get("authFile"):
            self.lost.append(
                f"The credentials in '{old['authFile']}': set them with image(username=…, "
                "password='<% $secrets.NAME %>')."
            )
        if isinstance(old.get("extras"), dict):
            for key, value in old["extras"].items():
                job.set_extra(key, value)
        self.lost.append(
            "Version 1 ran commands without errexit, nounset and pipefail; now the first failing "
            "command, or an unset variable, ends the task."
        )


def _never(count: Any) -> int:
    """Return a number of a completion policy: null was never."""
    return -1 if count is None else int(count)


def _with_new_names(command: str, renamed: Mapping[str, str]) -> str:
    """Rename the variables that hold a task role's name."""
    for old, new in renamed.items():
        if old != new:
            pattern = rf"(PAI_(?:TASK_ROLE|HOST_IP|PORT_LIST)_){re.escape(old)}(?=_|\b)"
            command = re.sub(pattern, rf"\g<1>{new}", command)
    return command
