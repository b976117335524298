"""Routes: method and path → handler, and the required token."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Callable

from openpai.core.local.api.handlers import (
    authn,
    cluster,
    groups,
    jobs,
    page,
    storages,
    tasks,
    tokens,
    users,
)
from openpai.core.local.api.responses import HttpError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = ["ROUTES", "Route", "find_route"]


@dataclass(frozen=True)
class Route:
    """One operation.

    Attributes:
        methods: HTTP methods; empty for any.
        path: The path; ``{name}`` matches one part.
        handler: Returns the response.
        access: ``open``; ``token`` of any kind; ``login``: no application token; or ``late``: the
            handler checks the token itself, after its own checks.
        raw: Whether to leave the body unread.
        limiter: Name of the rate limit by user, if any.
    """

    methods: str
    path: str
    handler: Callable[[Call], Response]
    access: str = "token"
    raw: bool = False
    limiter: str = ""

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """Return the variable parts of the path if the route matches; else ``None``."""
        if self.methods and method not in self.methods.split():
            return None
        found = _pattern(self.path).fullmatch(path)
        return None if found is None else found.groups()


_PATTERNS: dict[str, re.Pattern[str]] = {}


def _pattern(path: str) -> re.Pattern[str]:
    if path not in _PATTERNS:
        expression = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(path)) + "/?"
        _PATTERNS[path] = re.compile(expression, re.IGNORECASE)
    return _PATTERNS[path]


def _with_joined_name(handler: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """Return a handler of a job for v1 paths, which have user and job apart."""

    def joined(call: Call) -> Response:
        user, job, *rest = call.arguments
        call.arguments = (f"{user}~{job}", *rest)
        return handler(call)

    return joined


def _aliases(word: str, *routes: Route) -> list[Route]:
    """Return the routes of users or groups at both spellings of the word."""
    return [
        replace(route, path=f"/api/v2/{name}{route.path}")
        for name in (word + "s", word)
        for route in routes
    ]


_VC = "/api/v2/virtual-clusters/{vc}"
_JOB = "/api/v2/jobs/{job}"
_OLD_JOB = "/api/v1/user/{user}/jobs/{job}"
_TASK = _JOB + "/attempts/{attempt}/taskRoles/{role}/taskIndex/{index}/attempts"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", page.page, "open"),
    Route("GET", "/job-list.html", page.page, "open"),
    Route("GET", "/job-detail.html", page.page, "open"),
    Route("", "/api/v2/info", cluster.info, "open"),
    Route("", "/api/v1", cluster.info, "open"),
    Route("", "/api/v2", cluster.banner, "open"),
    Route("GET HEAD", "/healthz", cluster.healthz, "open"),
    Route("GET", "/api/v2/virtual-clusters", cluster.listing),
    Route("GET", _VC, cluster.one, "late"),
    Route("PUT DELETE", _VC, cluster.change, "login"),
    Route("PUT", _VC + "/status", cluster.change, "login"),
    Route("GET", "/api/v2/cluster/sku-types", cluster.sku_types),
    Route("GET", "/api/v2/kubernetes/nodes", cluster.nodes),
    Route("GET", "/api/v2/kubernetes/pods", cluster.pods),
    Route("GET", "/api/v2/alerts", cluster.alerts),
    Route("GET", "/api/v2/authn/info", authn.info, "open"),
    Route("POST", "/api/v1/authn/basic/login", authn.login, "open"),
    Route("POST", "/api/v2/authn/basic/login", authn.login, "open"),
    Route("DELETE", "/api/v2/authn/basic/logout", authn.logout, "login"),
    Route("POST", "/api/v2/tokens", authn.login, "open"),
    Route("POST", "/api/v1/token", authn.login, "open"),
    Route("GET", "/api/v2/tokens", tokens.listing, "login"),
    Route("GET", "/api/v2/tokens/check", tokens.check),
    Route("POST", "/api/v2/tokens/application", tokens.create_application, "login"),
    Route("DELETE", "/api/v2/tokens/{token}", tokens.revoke, "login"),
    Route("GET", "/api/v1/user/{user}", users.one),
    *_aliases(
        "user",
        Route("GET", "", users.listing),
        Route("POST", "", users.create, "login"),
        Route("PUT", "", users.update, "login"),
        Route("PUT", "/me", users.update_self, "login"),
        Route("GET", "/{user}", users.one),
        Route("DELETE", "/{user}", users.delete, "login"),
        Route("PUT", "/{user}/extension", users.set_extension, "login"),
        Route("PUT", "/{user}/email", users.set_email, "login"),
        Route("PUT", "/{user}/password", users.set_password, "login"),
        Route("PUT", "/{user}/admin", users.set_admin, "login"),
        Route("PUT", "/{user}/virtualcluster", users.set_virtual_clusters, "login"),
        Route("PUT", "/{user}/grouplist", users.set_groups, "login"),
        Route("PUT", "/{user}/group", users.add_group, "login"),
        Route("DELETE", "/{user}/group", users.remove_group, "login"),
    ),
    *_aliases(
        "group",
        Route("GET", "", groups.listing),
        Route("POST", "", groups.create, "login"),
        Route("PUT", "", groups.update, "login"),
        Route("GET", "/{group}", groups.one),
        Route("DELETE", "/{group}", groups.delete, "login"),
        Route("GET", "/{group}/userlist", groups.members),
        Route("PUT", "/{group}/extension/{key}", groups.set_extension, "login"),
        Route("PUT", "/{group}/extension/{key}/{inner}", groups.set_extension, "login"),
    ),
    Route("GET", "/api/v2/storages", storages.listing),
    Route("GET", "/api/v2/storages/{storage}", storages.one),
    Route("GET", "/api/v2/storage/config", storages.old_configs),
    Route("GET", "/api/v2/storage/config/{storage}", storages.old_config),
    Route("GET", "/api/v2/storage/server", storages.old_servers),
    Route("GET", "/api/v2/storage/server/{volume}", storages.old_server),
    Route("GET", "/api/v2/jobs", jobs.listing, limiter="list"),
    Route("POST", "/api/v2/jobs", jobs.submit, limiter="submit"),
    Route("GET", _JOB, jobs.one),
    Route("GET", _JOB + "/attempts/{attempt}", jobs.one),
    Route("GET", _JOB + "/config", jobs.config),
    Route("PUT", _JOB + "/executionType", jobs.set_execution_type),
    Route("PUT", _JOB + "/tag", jobs.add_tag),
    Route("DELETE", _JOB + "/tag", jobs.delete_tag),
    Route("GET", _JOB + "/events", jobs.events),
    Route("GET", _JOB + "/ssh", jobs.ssh),
    Route("GET", _JOB + "/job-attempts/healthz", jobs.attempts_healthz),
    Route("GET", _JOB + "/job-attempts", jobs.attempts),
    Route("GET", _JOB + "/job-attempts/{attempt}", jobs.attempt),
    Route("GET", _TASK, tasks.history),
    Route("GET", _TASK + "/{retry}/logs", tasks.logs),
    Route("POST", "/api/v1/jobs", jobs.submit_v1, limiter="submit"),
    Route("POST", "/api/v1/user/{user}/jobs", jobs.submit_v1, limiter="submit"),
    Route("GET", "/api/v1/jobs", jobs.listing, limiter="list"),
    Route("GET", "/api/v1/user/{user}/jobs", jobs.listing_of_user, limiter="list"),
    Route("GET", _OLD_JOB, _with_joined_name(jobs.one)),
    Route("GET", _OLD_JOB + "/config", _with_joined_name(jobs.config)),
    Route("GET", _OLD_JOB + "/ssh", _with_joined_name(jobs.ssh)),
    Route("PUT", _OLD_JOB + "/executionType", _with_joined_name(jobs.set_execution_type)),
    Route("GET", "/api/v1/virtual-clusters", cluster.listing),
    Route(
        "GET HEAD", "/log-manager/{address}/api/v1/logs/{file}", tasks.log_file, "open", raw=True
    ),
    Route("GET HEAD", "/api/v1/logs/{file}", tasks.log_file, "open", raw=True),
)


def find_route(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the route of a request, and the variable parts of its path.

    Args:
        method: The HTTP method.
        path: The path without the prefix of PAI's proxy.

    Raises:
        HttpError: There is none; PAI has one error for a wrong path and a wrong method.
    """
    for route in ROUTES:
        arguments = route.match("GET" if method == "HEAD" else method, path)
        if arguments is not None:
            return route, arguments
    raise HttpError(404, "NoApiError", f"API {path} is not found.")
