"""Requests and answers as the rest-server's framework (Express) reads and writes them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from werkzeug.wrappers import Response

from openpai.core.local.jstext import encode

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

__all__ = ["BODY_LIMIT", "Refusal", "answer", "read_body", "text_answer"]

#: rest-server keeps body-parser's default
BODY_LIMIT = 100 * 1024


class Refusal(Exception):  # noqa: N818 - it reads as what it is
    """An answer that is an error.

    Attributes:
        status: The HTTP status.
        code: The server's error code; ``None`` where the real server sends none.
        message: What it says.
    """

    def __init__(self, status: int, code: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> Response:
        """Return the answer that tells it."""
        body = {"message": self.message}
        return answer(body if self.code is None else {"code": self.code, **body}, self.status)


def answer(
    body: Any, status: int = 200, content_type: str = "application/json; charset=utf-8"
) -> Response:
    """Return a JSON answer with the entity tag that Express gives it."""
    text = body if isinstance(body, str) and "json" not in content_type else encode(body)
    return text_answer(text, status, content_type)


def text_answer(
    text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8"
) -> Response:
    """Return an answer that is not JSON."""
    data = text.encode("utf-8", "surrogatepass")
    response = Response(data, status=status, content_type=content_type)
    digest = base64.b64encode(hashlib.sha1(data).digest()).decode()[:27]  # noqa: S324 - a tag
    response.headers["ETag"] = f'W/"{len(data):x}-{digest}"'
    return response


def read_body(request: Request) -> Any:
    """Read a request's body as body-parser would.

    Returns:
        An object or a list for JSON and forms, a text for ``text/*``, and an empty object for
        everything else, whatever it holds.

    Raises:
        Refusal: It is too large, broken, or in an unknown charset or encoding.
    """
    kind = request.mimetype
    parsed = kind == "application/json" or kind.startswith("text/")
    if not parsed and kind != "application/x-www-form-urlencoded":
        return {}
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    data = _inflate(_limited(request), request.headers.get("Content-Encoding", "identity").lower())
    try:
        text = data.decode(charset, "replace")
    except LookupError:
        raise Refusal(415, None, f'unsupported charset "{charset.upper()}"') from None
    if kind.startswith("text/"):
        return text or {}
    return _json(text) if parsed else _form(text)


def _limited(request: Request) -> bytes:
    if (request.content_length or 0) > BODY_LIMIT:
        raise Refusal(413, None, "request entity too large")
    data: bytes = request.stream.read(BODY_LIMIT + 1)
    if len(data) > BODY_LIMIT:
        raise Refusal(413, None, "request entity too large")
    return data


def _inflate(data: bytes, encoding: str) -> bytes:
    if encoding == "identity":
        return data
    if encoding not in ("gzip", "deflate"):
        raise Refusal(415, None, f'unsupported content encoding "{encoding}"')
    inflater = zlib.decompressobj(32 + zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(data, BODY_LIMIT + 1)
    except zlib.error as error:
        raise Refusal(400, None, f"The compressed body is broken: {error}.") from None
    if len(plain) > BODY_LIMIT:
        raise Refusal(413, None, "request entity too large")
    return plain


def _json(text: str) -> Any:
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Refusal(400, None, f"The body is not JSON: {error}.") from None
    if not isinstance(value, (dict, list)):
        raise Refusal(400, None, "The body is not a JSON object.")
    return value


def _form(text: str) -> dict[str, Any]:
    """Read a form; ``a[b]=c`` nests and ``a[]=c`` or ``a[0]=c`` makes a list, as qs does."""
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = re.split(r"\[|\]\[|\]", name)
        _put(form, [first, *(rest[:-1] if rest else [])], value)
    return {name: _lists(value) for name, value in form.items()}


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        inner = into.setdefault(key or str(len(into)), {})
        if not isinstance(inner, dict):
            return
        into = inner
    into[path[-1] or str(len(into))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {key: _lists(item) for key, item in value.items()}
    if items and all(key.isdigit() for key in items):
        return [items[key] for key in sorted(items, key=int)]
    return items
