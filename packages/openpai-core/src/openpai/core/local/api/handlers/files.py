"""The content of logs, as PAI's log manager serves it (log-manager/src/nginx)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.handlers.logs import TAIL, LogToken, open_log

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.app import Call

__all__ = ["log_file"]


def log_file(call: Call) -> Response:
    """``GET /log-manager/{host}/api/v1/logs/{file}``: only the token in the query counts."""
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
    """Return [start, end) of a Range header; ``None`` unless it asks for one range of bytes."""
    unit, _, span = (wanted or "").partition("=")
    first, dash, last = span.strip().partition("-")
    if unit.strip() != "bytes" or not dash or not (first + last).isdigit():
        return None
    if not first:
        return max(0, size - int(last)), size
    return min(int(first), size), min(int(last) + 1, size) if last else size
