"""Jobs (rest-server/src/controllers/v2/job.js, job-attempt.js)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openpai.core.errors import OpenPaiError
from openpai.core.execution import Attempt, Event, encode, serializers
from openpai.core.local.api.body_schema import check, object_schema, string
from openpai.core.local.api.handlers.listing import list_jobs
from openpai.core.local.api.handlers.lookup import find_job, tags_of, tasks_of
from openpai.core.local.api.responses import HttpError, json_response, text_response
from openpai.core.local.api.submission import submit_job
from openpai.core.protocol import load_yaml

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.execution import Job
    from openpai.core.local.api.request import Call

__all__ = [
    "add_tag",
    "attempt",
    "attempts",
    "attempts_healthz",
    "config",
    "delete_tag",
    "events",
    "listing",
    "listing_of_user",
    "one",
    "set_execution_type",
    "ssh",
    "submit",
    "submit_v1",
]


def listing(call: Call) -> Response:
    """``GET /jobs``; see :func:`~openpai.core.local.api.handlers.listing.list_jobs`."""
    return list_jobs(call)


def listing_of_user(call: Call) -> Response:
    """``GET /api/v1/user/{name}/jobs``, for v1 clients."""
    return list_jobs(call, call.arguments[0])


def submit(call: Call) -> Response:
    """``POST /jobs``."""
    name = submit_job(call)
    message = f"Update job {name} for user {call.user.name} successfully."
    return json_response({"status": 202, "message": message}, 202)


def submit_v1(call: Call) -> Response:
    """``POST /api/v1/user/{name}/jobs``: a job of protocol version 1, as JSON."""
    from openpai.core.protocol import convert_v1

    if call.arguments and call.arguments[0] != call.user.name:
        message = f"User {call.user.name} may not submit jobs for {call.arguments[0]}."
        raise HttpError(403, "ForbiddenUserError", message)
    document = load_yaml(call.body) if isinstance(call.body, str) else call.body
    try:
        call.body = convert_v1(document).job.to_yaml()
    except OpenPaiError as error:
        raise HttpError(400, "InvalidParametersError", error.message) from None
    return submit(call)


def _job(call: Call) -> Job:
    return find_job(call.service.store, call.arguments[0])


def one(call: Call) -> Response:
    """``GET /jobs/{job}[/attempts/{n}]``; the latest attempt if n is not a number."""
    job = _job(call)
    index = job.attempt
    if len(call.arguments) > 1 and re.fullmatch(r"-?\d+", call.arguments[1]) and index >= 0:
        index = int(call.arguments[1])
    found = _attempt(call, job, index)
    if found is None and index >= 0:
        raise _no_attempt(job, index)
    if index < 0 <= job.attempt:
        raise _no_attempt(job, index)
    tasks = tasks_of(call.service.store, job, index)
    return json_response(serializers.detail(job, found, tasks, tags_of(call.service.store, job)))


def _no_attempt(job: Job, index: int) -> HttpError:
    return HttpError(404, "NoJobError", f"JobAttemptId {index} is not found in {job.framework}.")


def _attempt(call: Call, job: Job, index: int) -> Attempt | None:
    return call.service.store.one(Attempt, 'job = ? AND "index" = ?', (job.id, index))


def config(call: Call) -> Response:
    """``GET /jobs/{job}/config``: JSON with the type of YAML."""
    job = _job(call)
    row = call.service.store.query("SELECT text FROM configs WHERE job = ?", (job.id,))[0]
    return text_response(encode(load_yaml(row["text"])), 200, "text/yaml; charset=utf-8")


def set_execution_type(call: Call) -> Response:
    """``PUT /jobs/{job}/executionType``."""
    values = check(call.body, _EXECUTION_TYPE)
    job = _job(call)
    if job.user != call.user.name and not call.rights.admin:
        raise HttpError(
            403,
            "ForbiddenUserError",
            f"User {call.user.name} is not allowed to execute job {job.framework}.",
        )
    call.service.controller.set_execution_type(job.id, values["value"])
    message = f"Execute job {call.arguments[0]} successfully."
    return json_response({"status": 202, "message": message}, 202)


_EXECUTION_TYPE = object_schema({"value": {"enum": ["STOP", "START"]}})
_TAG = object_schema({"value": string("[^,]+")})


def _tag(call: Call, word: str) -> tuple[str, Job]:
    tag = check(call.body, _TAG)["value"]
    owner = call.arguments[0].partition("~")[0]
    if owner != call.user.name and not call.rights.admin:
        raise HttpError(
            403,
            "ForbiddenUserError",
            f"User {call.user.name} is not allowed to {word} job {call.arguments[0]}.",
        )
    if len(tag) > 512:
        raise HttpError(400, None, "value too long for type character varying(512)")
    return tag, _job(call)


def add_tag(call: Call) -> Response:
    """``PUT /jobs/{job}/tag``."""
    tag, job = _tag(call, "add tag to")
    call.service.store.execute("INSERT OR IGNORE INTO tags(job, tag) VALUES(?, ?)", (job.id, tag))
    message = f"Add tag {tag} for job {call.arguments[0]} successfully."
    return json_response({"status": 200, "message": message})


def delete_tag(call: Call) -> Response:
    """``DELETE /jobs/{job}/tag``, with a body."""
    tag, job = _tag(call, "delete tag from")
    gone = call.service.store.execute("DELETE FROM tags WHERE job = ? AND tag = ?", (job.id, tag))
    if not gone:
        raise HttpError(404, "NoTagError", f"Tag {tag} is not found for job {call.arguments[0]}.")
    message = f"Delete tag {tag} from job {call.arguments[0]} successfully."
    return json_response({"status": 200, "message": message})


def events(call: Call) -> Response:
    """``GET /jobs/{job}/events[?type=]``, newest first."""
    job = _job(call)
    kind = call.request.args.get("type")
    found = [
        serializers.event_item(job, event)
        for event in call.service.store.find(
            Event, "job = ? ORDER BY at DESC, rowid DESC", (job.id,)
        )
        if kind in (None, event.type)
    ]
    return json_response({"totalCount": len(found), "data": found})


def ssh(call: Call) -> Response:
    """``GET /jobs/{job}/ssh``: not found, as in the real server."""
    raise HttpError(404, "NoJobSshInfoError", f"SSH info of job {call.arguments[0]} is not found.")


def attempts_healthz(_: Call) -> Response:
    """``GET /jobs/{job}/job-attempts/healthz``."""
    return text_response("ok", content_type="text/html; charset=utf-8")


def attempts(call: Call) -> Response:
    """``GET /jobs/{job}/job-attempts``: the latest, then the others from the first."""
    try:
        job = _job(call)
    except HttpError:
        return json_response(None, 404)
    store = call.service.store
    found = store.find(Attempt, 'job = ? ORDER BY "index" != ?, "index"', (job.id, job.attempt))
    return json_response(
        [
            serializers.job_attempt(
                job, one, tasks_of(store, job, one.index), one.index == job.attempt
            )
            for one in found
        ]
    )


def attempt(call: Call) -> Response:
    """``GET /jobs/{job}/job-attempts/{n}``; ``isLatest`` is always true."""
    job = _job(call)
    wanted = call.arguments[1]
    found = _attempt(call, job, int(wanted)) if wanted.isdigit() else None
    if found is None:
        raise HttpError(
            404,
            "NoJobError",
            f"Job attempt not found in job {call.arguments[0]} with jobAttemptIndex {wanted}",
        )
    tasks = tasks_of(call.service.store, job, found.index)
    return json_response(serializers.job_attempt(job, found, tasks, True))
