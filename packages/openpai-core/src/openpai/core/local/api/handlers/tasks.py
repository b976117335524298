"""Tasks and where their logs are (rest-server/src/controllers/v2/job.js, models/v2/task.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api import serializers as views
from openpai.core.local.api.handlers.finding import find_job
from openpai.core.local.api.handlers.logs import locations
from openpai.core.local.state.models import Task
from openpai.core.local.api.responses import Refusal, answer
from openpai.core.protocol.names import convert_name

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.app import Call
    from openpai.core.local.state.models import Job

__all__ = ["history", "logs"]


def _attempts(call: Call, job: Job) -> list[Task]:
    """Return the attempts of the task in the path, the newest first."""
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
        raise Refusal(
            404,
            "NoJobError",
            f"Task not found in Job {name} with jobAttemptIndex {attempt}, "
            f"taskRoleName {role} and taskIndex {index}.",
        )
    return answer(views.task_history(job, found))


def logs(call: Call) -> Response:
    """``GET …/attempts/{n}/logs[?tail-mode=true]``: addresses, not content."""
    missing = Refusal(404, "NoTaskLogError", "Log of task is not found.")
    job = find_job(call.service.store, call.arguments[0])
    wanted = [task for task in _attempts(call, job) if str(task.retry) == call.arguments[4]]
    if not wanted or wanted[0].node_ip is None:
        raise missing
    tail = "true" in (call.request.args.get("tail-mode"), call.request.args.get("tailMode"))
    found_logs = locations(call.service, job, wanted[0], call.request.host, tail)
    if not found_logs:
        raise missing
    return answer({"locations": found_logs})
