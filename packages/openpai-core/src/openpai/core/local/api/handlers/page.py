"""The web page: one file that uses the REST API and loads nothing else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from openpai.core.local.api.responses import text_response

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["page"]

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@lru_cache(maxsize=1)
def _content() -> str:
    return Path(__file__).parent.with_name("page.html").read_text(encoding="utf-8")


def page(_: Call) -> Response:
    """``GET /``, and the paths of PAI's portal that other tools open."""
    response = text_response(_content(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
