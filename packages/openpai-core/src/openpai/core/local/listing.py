"""The list of jobs: its filters, orders and pages (rest-server/src/controllers/v2/job.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.local.jstext import encode
from openpai.core.local.views import NO_TAGS
from openpai.core.local.wire import Refusal, query, text_answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.app import Call

__all__ = ["list_jobs"]

_ORDERS = {
    "jobName": "name",
    "submissionTime": "submitted",
    "username": "user",
    "vc": "virtual_cluster",
    "retries": "retries",
    "totalTaskNumber": "tasks",
    "totalGpuNumber": "gpus",
    "state": "state",
    "completionTime": "completed",
    "jobPriority": "priority",
}
_MOST = 50000
_USUAL = 5000
_JSON = "application/json; charset=utf-8"


def list_jobs(call: Call) -> Response:
    """Answer ``GET /jobs``: a bare list, or with ``withTotalCount`` an object around it."""
    where, parameters = _conditions(call)
    limit = _number(call, "limit", _USUAL)
    if limit > _MOST:
        raise Refusal(400, "InvalidParametersError", f"Limit exceeds max number {_MOST}.")
    offset = _number(call, "offset", 0)
    rows = call.service.store.query(
        f"SELECT id, summary FROM jobs WHERE {where} ORDER BY {_order(call)}"  # noqa: S608
        " LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )
    text = "[" + ",".join(_with_tags(call, rows)) + "]"
    if query(call.request, "withTotalCount") == "true":
        counted = call.service.store.query(
            f"SELECT count(*) FROM jobs WHERE {where}",  # noqa: S608 - our own names only
            parameters,
        )
        text = f'{{"totalCount":{counted[0][0]},"data":{text}}}'
    return text_answer(text, content_type=_JSON)


def _with_tags(call: Call, rows: list[Any]) -> list[str]:
    tags: dict[int, list[str]] = {}
    for row in call.service.store.query("SELECT job, tag FROM tags ORDER BY rowid"):
        tags.setdefault(row["job"], []).append(row["tag"])
    if not tags:
        return [row["summary"] for row in rows]
    return [
        row["summary"].replace(NO_TAGS, f'"tags":{encode(tags[row["id"]])}', 1)
        if row["id"] in tags
        else row["summary"]
        for row in rows
    ]


def _order(call: Call) -> str:
    field, _, direction = (query(call.request, "order") or "").partition(",")
    if field not in _ORDERS or direction not in ("ASC", "DESC"):
        field, direction = "submissionTime", "DESC"
    column = _ORDERS[field]
    # No value comes last going up and first going down; ids keep pages from overlapping.
    return f"{column} IS NULL {direction}, {column} {direction}, id {direction}"


def _number(call: Call, name: str, default: int) -> int:
    text = query(call.request, name)
    if text is None or text == "":
        return default
    try:
        number = int(text)
    except ValueError:
        raise _bad_number(
            call, f"'{name}' is not a number.", 'column "nan" does not exist'
        ) from None
    if number < 0:
        raise _bad_number(
            call, f"'{name}' must not be negative.", f"{name.upper()} must not be negative"
        )
    return number


def _bad_number(call: Call, kind: str, real: str) -> Refusal:
    if call.service.options.faithful:
        return Refusal(500, None, real)
    return Refusal(400, "InvalidParametersError", kind)


def _conditions(call: Call) -> tuple[str, list[Any]]:
    """Return an SQL condition and its parameters."""
    found: list[tuple[str, list[Any]]] = []
    for name, column in (("username", "user"), ("vc", "virtual_cluster"), ("state", "state")):
        _add_choice(found, column, query(call.request, name))
    _add_priorities(found, query(call.request, "jobPriority"))
    keyword = query(call.request, "keyword")
    if keyword is not None:
        like = "(user LIKE ? OR name LIKE ? OR virtual_cluster LIKE ?)"
        found.append((like, [f"%{keyword}%"] * 3))
    for name, word in (("tagsContain", "IN"), ("tagsNotContain", "NOT IN")):
        tags = query(call.request, name)
        if tags is not None:
            values = tags.split(",")
            chosen = f"id {word} (SELECT job FROM tags WHERE tag IN ({_marks(values)}))"  # noqa: S608
            found.append((chosen, values))
    where = " AND ".join(condition for condition, _ in found) or "1"
    return where, [value for _, values in found for value in values]


def _add_choice(found: list[tuple[str, list[Any]]], column: str, text: str | None) -> None:
    if text is not None:
        values = text.split(",")
        found.append((f"{column} IN ({_marks(values)})", values))


def _add_priorities(found: list[tuple[str, list[Any]]], text: str | None) -> None:
    if text is None:
        return
    values = [value for value in text.split(",") if value != "default"]
    condition = f"priority IN ({_marks(values)})"
    if "default" in text.split(","):
        condition = f"({condition} OR priority IS NULL)"
    found.append((condition, values))


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * len(values))
