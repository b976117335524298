"""The WSGI application: find the route, authenticate, limit rates, handle, report errors."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping
from urllib.parse import unquote, urlsplit

from werkzeug.wrappers import Request, Response

from openpai.core.environment import LOOPBACK_HOSTS
from openpai.core.local.api.rate_limit import make_limiters
from openpai.core.local.api.request import Call
from openpai.core.local.api.responses import HttpError, read_body
from openpai.core.local.api.routes import find_route

if TYPE_CHECKING:
    from openpai.core.local.api.rate_limit import Count, Limiter
    from openpai.core.local.service import Service

__all__ = [
    "create_app",
]

log = logging.getLogger(__name__)


def create_app(
    service: Service,
) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return the cluster's WSGI application."""
    limiters = make_limiters(service.options.rate_limits, service.clock)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        return _limited(service, limiters, request)(environ, start_response)

    return application


def _limited(service: Service, limiters: Mapping[str, Limiter], request: Request) -> Response:
    """Handle a request within the rate limits of its address and user."""
    counts = _Counts(limiters)
    try:
        if not counts.hit("api", request.access_route[0] if request.access_route else ""):
            return counts.newest.refuse()
        response = _respond(service, request, counts)
    except HttpError as refusal:
        response = refusal.response()
    except Exception as error:
        log.exception("%s %s failed", request.method, request.path)
        response = HttpError(500, "UnknownError", f"{type(error).__name__}: {error}").response()
    if counts.counted:
        counts.newest.mark(response)
    return response


class _Counts:
    """The rate limits that counted a request; the newest is reported in the response."""

    def __init__(self, limiters: Mapping[str, Limiter]) -> None:
        self._limiters = limiters
        self.counted: list[Count] = []

    @property
    def newest(self) -> Count:
        return self.counted[-1]

    def hit(self, limiter: str, key: str) -> bool:
        """Count the request; return whether it is within the limit."""
        if limiter not in self._limiters:
            return True
        self.counted.append(self._limiters[limiter].hit(key))
        return not self.newest.is_over


def _respond(service: Service, request: Request, counts: _Counts) -> Response:
    _check_origin(request)
    _check_escapes(request.environ.get("REQUEST_URI", ""))
    path = request.path
    if path.lower().startswith("/rest-server/"):
        path = path[len("/rest-server") :]
    route, arguments = find_route(request.method, path)
    body = {} if route.raw else read_body(request)
    call = Call(service, request, body, arguments)
    if route.access in ("token", "login"):
        call.authenticate()
    if route.access == "login":
        call.require_login_token()
    if route.limiter and not counts.hit(route.limiter, call.user.name):
        return counts.newest.refuse()
    return route.handler(call)


def _check_escapes(uri: str) -> None:
    for part in uri.partition("?")[0].split("/"):
        try:
            good = not re.search(r"%(?![0-9A-Fa-f]{2})", part)
            unquote(part, errors="strict")
        except UnicodeDecodeError:
            good = False
        if not good:
            raise HttpError(400, None, f"Failed to decode param '{part}'")


def _check_origin(request: Request) -> None:
    """Refuse requests of web pages of other origins, also by DNS rebinding.

    The real server allows every origin; this one runs commands on the user's machine.
    """
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.host
    if (
        host not in LOOPBACK_HOSTS
        or foreign
        or request.headers.get("Sec-Fetch-Site") == "cross-site"
    ):
        raise HttpError(
            403,
            "ForbiddenUserError",
            "A local cluster accepts requests to a loopback address only, and none of web pages "
            "of other origins.",
        )
