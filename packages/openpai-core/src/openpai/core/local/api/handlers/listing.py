"""The list of jobs: its filters, orders and pages (rest-server/src/controllers/v2/job.js)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpai.core.execution import NO_TAGS, encode
from openpai.core.local.api.responses import HttpError, text_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

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
#: Columns that may be null; null sorts last ascending and first descending.
_NULLABLE = ("completed", "priority")
_MOST = 50000
_USUAL = 5000
_JSON = "application/json; charset=utf-8"


def list_jobs(call: Call, user: str | None = None) -> Response:
    """``GET /jobs``: a list, or with ``withTotalCount`` an object around it.

    Args:
        call: The request.
        user: The owner of the jobs; ``None`` for the query's filter.

    Raises:
        HttpError: A query parameter is invalid.
    """
    where, parameters = _conditions(call, user)
    limit = _number(call, "limit", _USUAL)
    if limit > _MOST:
        raise HttpError(400, "InvalidParametersError", f"Limit exceeds max number {_MOST}.")
    offset = _number(call, "offset", 0)
    rows = call.service.store.query(
        f"SELECT id, summary FROM jobs WHERE {where} ORDER BY {_order(call)}"  # noqa: S608
        " LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )
    text = "[" + ",".join(_with_tags(call, rows)) + "]"
    if _query(call, "withTotalCount") == "true":
        counted = call.service.store.query(
            f"SELECT count(*) FROM jobs WHERE {where}",  # noqa: S608 - our own names only
            parameters,
        )
        text = f'{{"totalCount":{counted[0][0]},"data":{text}}}'
    return text_response(text, content_type=_JSON)


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


def _query(call: Call, name: str) -> str | None:
    """Return a query parameter, ``None`` without one."""
    values = call.request.args.getlist(name)
    if len(values) > 1:
        message = f"The query parameter '{name}' is given more than once."
        raise HttpError(400, "InvalidParametersError", message)
    return values[0] if values else None


def _order(call: Call) -> str:
    field, _, direction = (_query(call, "order") or "").partition(",")
    if field not in _ORDERS or direction not in ("ASC", "DESC"):
        field, direction = "submissionTime", "DESC"
    column = _ORDERS[field]
    # Ids keep pages from overlapping. Without the first term SQLite has an index for this order.
    order = f"{column} {direction}, id {direction}"
    return f"{column} IS NULL {direction}, {order}" if column in _NULLABLE else order


def _number(call: Call, name: str, default: int) -> int:
    text = _query(call, name)
    if text is None or text == "":
        return default
    try:
        number = int(text)
    except ValueError:
        message = f"'{name}' is not a number."
        raise HttpError(400, "InvalidParametersError", message) from None
    if number < 0:
        raise HttpError(400, "InvalidParametersError", f"'{name}' must not be negative.")
    return number


def _conditions(call: Call, user: str | None) -> tuple[str, list[Any]]:
    """Return an SQL condition and its parameters."""
    found: list[tuple[str, list[Any]]] = [] if user is None else [("user = ?", [user])]
    for name, column in (("username", "user"), ("vc", "virtual_cluster"), ("state", "state")):
        _add_choice(found, column, _query(call, name))
    _add_keyword_and_priority(call, found)
    for name, word in (("tagsContain", "IN"), ("tagsNotContain", "NOT IN")):
        tags = _query(call, name)
        if tags is not None:
            values = tags.split(",")
            chosen = f"id {word} (SELECT job FROM tags WHERE tag IN ({_marks(values)}))"  # noqa: S608
            found.append((chosen, values))
    where = " AND ".join(condition for condition, _ in found) or "1"
    return where, [value for _, values in found for value in values]


def _add_keyword_and_priority(call: Call, found: list[tuple[str, list[Any]]]) -> None:
    keyword = _query(call, "keyword")
    priorities = _query(call, "jobPriority")
    if keyword is not None:
        like = "(user LIKE ? OR name LIKE ? OR virtual_cluster LIKE ?)"
        found.append((like, [f"%{keyword}%"] * 3))
    if priorities is not None:
        values = [value for value in priorities.split(",") if value != "default"]
        condition = f"priority IN ({_marks(values)})"
        if "default" in priorities.split(","):
            condition = f"({condition} OR priority IS NULL)"
        found.append((condition, values))


def _add_choice(found: list[tuple[str, list[Any]]], column: str, text: str | None) -> None:
    if text is not None:
        values = text.split(",")
        found.append((f"{column} IN ({_marks(values)})", values))


def _marks(values: list[Any]) -> str:
    return ", ".join("?" * len(values))
