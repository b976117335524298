"""What the server answers to: method and path → handler, and what a caller must show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from openpai.core.local.handlers import authn, cluster, files, jobs, storages, tasks, tokens, users
from openpai.core.local.wire import Refusal

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.app import Call

__all__ = ["ROUTES", "Route", "find_route"]


@dataclass(frozen=True)
class Route:
    """One operation.

    Attributes:
        methods: HTTP methods; empty means any.
        path: Its path; ``{}`` stands for one part.
        handler: What answers.
        access: ``open`` to all, ``token`` of any kind, or ``login``: no application token.
        raw: Whether the body is left alone.
    """

    methods: str
    path: str
    handler: Callable[[Call], Response]
    access: str = "token"
    raw: bool = False

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """Return the variable parts if this route serves the request."""
        if self.methods and method not in self.methods.split():
            return None
        found = _pattern(self.path).fullmatch(path)
        return None if found is None else found.groups()


_PATTERNS: dict[str, re.Pattern[str]] = {}


def _pattern(path: str) -> re.Pattern[str]:
    if path not in _PATTERNS:
        expression = re.escape(path).replace(re.escape("{}"), "([^/]+)") + "/?"
        _PATTERNS[path] = re.compile(expression, re.IGNORECASE)
    return _PATTERNS[path]


def _both(methods: str, path: str, handler: Callable[[Call], Response], access: str) -> list[Route]:
    """Return the same operation under both versions of the API."""
    return [Route(methods, f"/api/{version}{path}", handler, access) for version in ("v1", "v2")]


_JOB = "/api/v2/jobs/{}"
_TASK = _JOB + "/attempts/{}/taskRoles/{}/taskIndex/{}/attempts"

ROUTES: tuple[Route, ...] = (
    Route("", "/api/v2/info", cluster.info, "open"),
    Route("", "/api/v1", cluster.info, "open"),
    Route("", "/api/v2", cluster.banner, "open"),
    Route("GET HEAD", "/healthz", cluster.healthz, "open"),
    Route("GET", "/api/v2/virtual-clusters", cluster.virtual_clusters),
    Route("GET", "/api/v2/virtual-clusters/{}", cluster.virtual_cluster, "open"),
    Route("GET", "/api/v2/cluster/sku-types", cluster.sku_types),
    *_both("GET", "/authn/info", authn.info, "open"),
    *_both("POST", "/authn/basic/login", authn.login, "open"),
    *_both("DELETE", "/authn/basic/logout", authn.logout, "login"),
    Route("POST", "/api/v2/tokens", authn.login, "open"),
    Route("POST", "/api/v1/token", authn.login, "open"),
    *(
        Route(methods, base + path, handler, access)
        for base in ("/api/v2/tokens", "/api/v1/token")
        for methods, path, handler, access in (
            ("GET", "", tokens.listing, "login"),
            ("GET", "/check", tokens.check, "token"),
            ("POST", "/application", tokens.create_application, "login"),
            ("DELETE", "/{}", tokens.revoke, "login"),
        )
    ),
    Route("GET", "/api/v2/users", users.listing),
    Route("GET", "/api/v2/user", users.listing),
    Route("GET", "/api/v2/users/{}", users.one),
    Route("GET", "/api/v2/user/{}", users.one),
    Route("GET", "/api/v1/user/{}", users.one),
    Route("GET", "/api/v2/groups", users.groups),
    Route("GET", "/api/v2/group", users.groups),
    Route("GET", "/api/v2/groups/{}", users.group),
    Route("GET", "/api/v2/group/{}", users.group),
    Route("GET", "/api/v2/groups/{}/userlist", users.members),
    Route("GET", "/api/v2/storages", storages.listing),
    Route("GET", "/api/v2/storages/{}", storages.one),
    Route("GET", "/api/v2/storage/config", storages.old_configs),
    Route("GET", "/api/v2/storage/config/{}", storages.old_config),
    Route("GET", "/api/v2/storage/server", storages.old_servers),
    Route("GET", "/api/v2/storage/server/{}", storages.old_server),
    Route("GET", "/api/v2/jobs", jobs.listing),
    Route("POST", "/api/v2/jobs", jobs.submit),
    Route("GET", _JOB, jobs.one),
    Route("GET", _JOB + "/attempts/{}", jobs.one),
    Route("GET", _JOB + "/config", jobs.config),
    Route("PUT", _JOB + "/executionType", jobs.set_execution_type),
    Route("PUT", _JOB + "/tag", jobs.add_tag),
    Route("DELETE", _JOB + "/tag", jobs.delete_tag),
    Route("GET", _JOB + "/events", jobs.events),
    Route("GET", _JOB + "/ssh", jobs.ssh),
    Route("GET", _JOB + "/job-attempts/healthz", jobs.attempts_healthz),
    Route("GET", _JOB + "/job-attempts", jobs.attempts),
    Route("GET", _JOB + "/job-attempts/{}", jobs.attempt),
    Route("GET", _TASK, tasks.history),
    Route("GET", _TASK + "/{}/logs", tasks.logs),
    Route("GET HEAD", "/log-manager/{}/api/v1/logs/{}", files.log_file, "open", raw=True),
    Route("GET HEAD", "/api/v1/logs/{}", files.log_file, "open", raw=True),
)


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the route of a request, and the variable parts of its path.

    Raises:
        Refusal: There is none: a wrong path and a wrong method are the same to PAI.
    """
    for route in ROUTES:
        arguments = route.match("GET" if method == "HEAD" else method, path)
        if arguments is not None:
            return route, arguments
    raise Refusal(404, "NoApiError", f"API {path} is not found.")
