"""Where a task's logs are, and the short-lived tokens that open them.

Source: rest-server/src/models/v2/job/log.js, log-manager/src/nginx.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode

from openpai.core.local.state.tokens import sign, verify
from openpai.core.protocol.names import convert_name

if TYPE_CHECKING:
    from openpai.core.local.state.models import Job, Task
    from openpai.core.local.service import Service

__all__ = ["TAIL", "LogToken", "locations", "open_log"]

#: Bytes that tail mode gives.
TAIL = 16384

#: Seconds for which a log's address is good.
LIFETIME = 120

#: name of a file → name that the API gives it
NAMES = {
    "user-all": "all",
    "user-stdout": "stdout",
    "user-stderr": "stderr",
    "user-all.1": "all.1",
    "user-stdout.1": "stdout.1",
    "user-stderr.1": "stderr.1",
    "runtime.log": "runtime.log",
    "runtime.log.1": "runtime.log.1",
}


@dataclass(frozen=True)
class LogToken:
    """What a log token opens: the logs of one task attempt."""

    framework: str
    uid: str

    def write(self, service: Service) -> str:
        """Return the token that says so for a while."""
        now = service.clock.now() // 1000
        claims = {"log": [self.framework, self.uid], "iat": now, "exp": now + LIFETIME}
        return sign(claims, service.folder.secret("key"))

    @classmethod
    def read(cls, service: Service, token: str) -> LogToken | None:
        """Return what a token opens; ``None`` if it is broken, not ours or expired."""
        claims = verify(token, service.folder.secret("key"), service.clock.now() / 1000)
        return cls(*claims["log"]) if claims and "log" in claims else None


def locations(
    service: Service, job: Job, task: Task, host: str, tail: bool
) -> list[dict[str, str]]:
    """Return name and address, relative to the cluster's address, of each log that exists."""
    folder = service.launcher.folder(job.debug_id, task.uid) / "logs"
    parts = {
        "username": job.user,
        "framework-name": job.debug_id,
        "pod-uid": task.uid,
        "taskrole": convert_name(task.role),
        "token": LogToken(job.debug_id, task.uid).write(service),
    }
    if tail:
        parts["tail-mode"] = "true"
    port = re.sub(r".*:", "", host)
    base = f"/log-manager/{task.node_ip}:{port}/api/v1/logs"
    return [
        {"name": name, "uri": f"{base}/{file}?{urlencode(parts)}"}
        for file, name in NAMES.items()
        if (folder / file).exists()
    ]


def open_log(service: Service, token: LogToken, file: str) -> BinaryIO | None:
    """Open a log; ``None`` if there is none of that name."""
    if file not in NAMES:
        return None
    path = service.launcher.folder(token.framework, token.uid) / "logs" / file
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None
