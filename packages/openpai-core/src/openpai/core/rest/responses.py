"""Read responses: JSON, or one error for each refusal and for answers that are not PAI's.

Bodies of refusals may be JSON, HTML, plain text, ``null`` or nothing; the status counts first, the
code second (rest-server/src/utils/error.js; the set of codes is open).
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from openpai.core.errors import ApiError, ConnectionFailed, RateLimitError, ServerError, api_error
from openpai.core.rest.address import shown
from openpai.core.units import format_duration

if TYPE_CHECKING:
    import requests

__all__ = ["MAX_JOB_BYTES", "clock_skew", "decoded", "refusal", "refuse_page", "shaped", "text"]

#: The server's limit of a job's text: the default of Express' body parser
#: (rest-server/src/config/express.js).
MAX_JOB_BYTES = 100 * 1024

# Date headers have whole seconds and are a moment old when they arrive.
_GRAIN = 2.0

_HINTS = {
    401: "Log in again: opai cluster login",
    413: f"The limit is {MAX_JOB_BYTES // 1024} KiB; move data out of the job's text.",
    429: "The server limits how often it may be asked; try again later.",
}


def decoded(response: requests.Response) -> Any:
    """Return the JSON of an answer.

    Raises:
        ServerError: The answer is not a PAI server's, such as a page of a proxy or portal.
        ConnectionFailed: The JSON was cut short.
    """
    try:
        return response.json()
    except ValueError:
        kind = _kind(response)
        if kind == "application/json" and response.content:
            raise ConnectionFailed(
                f"{_request(response)}: the answer was cut short.", "Try again."
            ) from None
        raise _not_of_pai(response, kind, "JSON") from None


def shaped(response: requests.Response, *, kind: type, key: str) -> Any:
    """Return the JSON of an answer, or the value of one of its keys.

    Raises:
        ServerError: It is of another kind than PAI's answer, or none of a PAI server's.
        ConnectionFailed: The JSON was cut short.
    """
    found = decoded(response)
    value = found.get(key) if key and isinstance(found, dict) else found
    if isinstance(value, kind) and (not key or isinstance(found, dict)):
        return value
    raise _not_of_pai(response, "JSON of another form", "PAI's")


def refuse_page(response: requests.Response) -> None:
    """Refuse a web page where a text is expected, whatever type the server gives it.

    Raises:
        ServerError: The answer is HTML.
    """
    if _kind(response) == "text/html":
        raise _not_of_pai(response, "text/html", "text")


def text(response: requests.Response) -> str:
    """Return the text of an answer.

    Raises:
        ServerError: The answer is HTML.
    """
    refuse_page(response)
    return response.content.decode("utf-8", "replace")


def _not_of_pai(response: requests.Response, kind: str, expected: str) -> ServerError:
    return ServerError(
        f"{shown(response.url)} answered with {kind} where {expected} was expected.",
        status=response.status_code,
        request=_request(response),
        hint="Is this the address of a PAI cluster? A proxy or a web page may stand in front.",
    )


def _kind(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "no content type").partition(";")[0].strip().lower()


def _request(response: requests.Response) -> str:
    return f"{response.request.method} {shown(response.url)}"


def refusal(response: requests.Response) -> ApiError:
    """Return the error for an answer of 400 and above."""
    try:
        body = response.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    code = body.get("code")
    code = code if isinstance(code, str) else ""
    status = response.status_code
    error = api_error(status, code)(
        _message(body.get("message"), response),
        status=status,
        code=code,
        request=_request(response),
        hint=_HINTS.get(status, ""),
    )
    if isinstance(error, RateLimitError):
        error.reset = _reset(response)
        if error.reset is not None:
            error.hint = _wait_hint(error.reset - time.time())
    return error


def _wait_hint(seconds: float) -> str:
    wait = format_duration(max(seconds, 1))
    return f"The server limits the rate of requests; the limit is reset in {wait}."


def _message(message: Any, response: requests.Response) -> str:
    """Return the server's own message if it sent one, else a sentence for the status."""
    if not isinstance(message, str) or not message.strip():
        return f"The server answered {response.status_code} {response.reason or ''}".rstrip() + "."
    try:  # schema failures come as a JSON array inside the text (rest-server: ajv's errors)
        found = json.loads(message)
    except ValueError:
        return message.strip()
    if not isinstance(found, list):
        return message.strip()
    parts = [
        f"{e.get('dataPath') or 'the job'} {e.get('message')}" for e in found if isinstance(e, dict)
    ]
    return "The server refused the job: " + "; ".join(dict.fromkeys(parts)) + "."


def _reset(response: requests.Response) -> float | None:
    """Return when the limit is reset, by this machine's clock; the server's may be wrong.

    ``Retry-After`` is the whole window and not what is left of it, so it is a bound only
    (rest-server/src/config/rate-limit.js).
    """
    window = _seconds(response, "Retry-After")
    reset = _seconds(response, "X-RateLimit-Reset")
    now = time.time()
    if reset is None:
        return None if window is None else now + window
    reset -= clock_skew(response.headers.get("Date"), now)
    return reset if window is None else min(reset, now + window)


def _seconds(response: requests.Response, header: str) -> float | None:
    value = response.headers.get(header, "")
    return float(value) if value.isdigit() else None


def clock_skew(date: str | None, now: float) -> float:
    """Return by how many seconds the server's clock is ahead of this machine's; 0 if by few.

    Args:
        date: The ``Date`` header of an answer.
        now: This machine's time when it came, in Unix seconds.
    """
    from email.utils import parsedate_to_datetime

    try:
        skew = parsedate_to_datetime(date or "").timestamp() - now
    except (TypeError, ValueError):
        return 0.0
    return skew if abs(skew) > _GRAIN else 0.0
