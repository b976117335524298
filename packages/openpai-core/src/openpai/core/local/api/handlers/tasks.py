"""Task attempts and their logs (rest-server/src/controllers/v2/job.js, models/v2/task.js)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode

from openpai.core.execution import Task, serializers
from openpai.core.local.api.handlers.lookup import find_job
from openpai.core.local.api.responses import HttpError, json_response
from openpai.core.local.state.tokens import sign, verify
from openpai.core.protocol import convert_name

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.execution import Job
    from openpai.core.local.api.request import Call
    from openpai.core.local.service import Service

__all__ = [
    "TAIL",
    "LogToken",
    "history",
    "locations",
    "log_file",
    "logs",
    "open_log",
]


#: Bytes of a log in tail mode.
TAIL = 16384


#: Lifetime of a log's address in seconds.
LIFETIME = 120


#: File → name in the API
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
    """A token for the logs of one task attempt."""

    framework: str
    uid: str

    def write(self, service: Service) -> str:
        """Return the signed token."""
        now = service.clock.now() // 1000
        claims = {"log": [self.framework, self.uid], "iat": now, "exp": now + LIFETIME}
        return sign(claims, service.folder.secret("key"))

    @classmethod
    def read(cls, service: Service, token: str) -> LogToken | None:
        """Return the content of a signed token; ``None`` if it is not valid."""
        claims = verify(token, service.folder.secret("key"), service.clock.now() / 1000)
        return cls(*claims["log"]) if claims and "log" in claims else None


def locations(
    service: Service, job: Job, task: Task, host: str, tail: bool
) -> list[dict[str, str]]:
    """Return the name and address, relative to the cluster's, of each log that exists."""
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
    """Open a log; return ``None`` if it does not exist."""
    if file not in NAMES:
        return None
    path = service.launcher.folder(token.framework, token.uid) / "logs" / file
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _attempts(call: Call, job: Job) -> list[Task]:
    """Return the attempts of the task in the path, newest first."""
    _, attempt, role, index = call.arguments[:4]
    if not (attempt.isdigit() and index.isdigit()):
        return []
    found = call.service.store.find(
        Task,
        'job = ? AND attempt = ? AND "index" = ? ORDER BY retry DESC',
        (job.id, int(attempt), int(index)),
    )
    return [task for task in found if convert_name(task.role) == role]


def history(call: Call) -> Response:
    """``GET …/taskRoles/{role}/taskIndex/{i}/attempts``."""
    job = find_job(call.service.store, call.arguments[0])
    found = _attempts(call, job)
    if not found:
        name, attempt, role, index = call.arguments
        raise HttpError(
            404,
            "NoJobError",
            f"Task not found in Job {name} with jobAttemptIndex {attempt}, "
            f"taskRoleName {role} and taskIndex {index}.",
        )
    return json_response(serializers.task_history(job, found))


def logs(call: Call) -> Response:
    """``GET …/attempts/{n}/logs[?tail-mode=true]``: addresses of logs."""
    missing = HttpError(404, "NoTaskLogError", "Log of task is not found.")
    job = find_job(call.service.store, call.arguments[0])
    wanted = [task for task in _attempts(call, job) if str(task.retry) == call.arguments[4]]
    if not wanted or wanted[0].node_ip is None:
        raise missing
    tail = "true" in (call.request.args.get("tail-mode"), call.request.args.get("tailMode"))
    found_logs = locations(call.service, job, wanted[0], call.request.host, tail)
    if not found_logs:
        raise missing
    return json_response({"locations": found_logs})


def log_file(call: Call) -> Response:
    """``GET /log-manager/{host}/api/v1/logs/{file}``, authorised by the token in the query."""
    from werkzeug.wrappers import Response

    arguments = call.request.args
    token = LogToken.read(call.service, arguments.get("token", ""))
    if token is None or token.uid != arguments.get("pod-uid"):
        return Response(status=403)
    found = open_log(call.service, token, call.arguments[-1])
    if found is None:
        return Response(status=404)
    with found:
        size = found.seek(0, 2)
        wanted = call.request.headers.get("Range")
        if arguments.get("tail-mode") == "true":
            wanted = f"bytes=-{TAIL}"
        span = _span(wanted, size)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Disposition": "attachment",
            "Content-Type": "application/octet-stream",
        }
        start, end = span or (0, size)
        if span is not None and start >= end:
            headers["Content-Range"] = f"bytes */{size}"
            return Response(status=416, headers=headers)
        found.seek(start)
        data = found.read(end - start)
    if span is None:
        return Response(data, status=200, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{size}"
    return Response(data, status=206, headers=headers)


def _span(wanted: str | None, size: int) -> tuple[int, int] | None:
    """Return [start, end) of a Range header; ``None`` unless it is one range of bytes."""
    unit, _, span = (wanted or "").partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdigit():
        return None
    if not first:
        return max(0, size - int(last)), size
    return min(int(first), size), min(int(last) + 1, size) if last else size
