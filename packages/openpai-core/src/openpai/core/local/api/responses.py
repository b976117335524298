"""Bodies of requests and responses, as rest-server's framework (Express) handles them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Response

from openpai.core.execution import encode
from openpai.core.rest import MAX_JOB_BYTES

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

__all__ = ["HttpError", "json_response", "read_body", "text_response"]


class HttpError(Exception):
    """An error response.

    Attributes:
        status: The HTTP status.
        code: The error code; ``None`` where the real server sends none.
        message: The message.
    """

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """Return the response."""
        body = {"message": self.message}
        return json_response(
            body if self.code is None else {"code": self.code, **body}, self.status
        )


def json_response(
    body: Any, status: int = 200, content_type: str = "application/json; charset=utf-8"
) -> Response:
    """Return a JSON response."""
    text = body if isinstance(body, str) and "json" not in content_type else encode(body)
    return text_response(text, status, content_type)


def text_response(
    text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8"
) -> Response:
    """Return a response that is not JSON."""
    data = text.encode("utf-8", "surrogatepass")
    return Response(data, status=status, content_type=content_type)


def read_body(request: Request) -> Any:
    """Read the body of a request as body-parser does.

    Returns:
        An object or a list for JSON and forms, a text for ``text/*``, else an empty object.

    Raises:
        HttpError: It is too large, malformed, or in an unknown charset or encoding.
    """
    kind = request.mimetype
    parsed = kind == "application/json" or kind.startswith("text/")
    if not parsed and kind != "application/x-www-form-urlencoded":
        return {}
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise HttpError(415, None, f'unsupported content encoding "{encoding}"')
    data = _limited(request)
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        raise HttpError(415, None, f'unsupported charset "{charset.upper()}"') from None
    if kind.startswith("text/"):
        return text or {}
    return _json(text) if parsed else dict(parse_qsl(text, keep_blank_values=True))


def _limited(request: Request) -> bytes:
    if (request.content_length or 0) > MAX_JOB_BYTES:
        raise HttpError(413, None, "request entity too large")
    data: bytes = request.stream.read(MAX_JOB_BYTES + 1)
    if len(data) > MAX_JOB_BYTES:
        raise HttpError(413, None, "request entity too large")
    return data


def _json(text: str) -> Any:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise HttpError(400, None, f"The body is not JSON: {error}.") from None
    if not isinstance(value, (dict, list)):
        raise HttpError(400, None, "The body is not a JSON object.")
    return value
