"""The cluster's version and login method (tag *info*; needs no token)."""

from __future__ import annotations

from typing import Any, Mapping

from openpai.core.rest.fields import Record, iso_moment, mapping, text
from openpai.core.rest.session import Session

__all__ = [
    "Alert",
    "AuthnInfo",
    "ClusterInfo",
    "get_authn_info",
    "get_info",
    "list_alerts",
    "list_nodes",
    "list_pods",
]


class ClusterInfo(Record):
    """Answer of ``GET /info``.

    Attributes:
        version: PAI's version, ``""`` if the server does not know it.
        launcher_type: Always ``k8s`` on current clusters.
        authn_method: ``basic`` or ``OIDC``.
    """

    __slots__ = ()
    name = text("name")
    version = text("version")
    launcher_type = text("launcherType")
    authn_method = text("authnMethod")


class AuthnInfo(Record):
    """Answer of ``GET /authn/info``: how to log in (not in the OpenAPI file).

    Attributes:
        authn_type: ``basic`` or ``OIDC``.
        login_uri: Path of the login, under ``/rest-server``.
    """

    __slots__ = ()
    authn_type = text("authn_type")
    login_uri = text("loginURI")
    login_method = text("loginURIMethod")


def get_info(session: Session) -> ClusterInfo:
    """``GET /api/v2/info`` (rest-server/src/routes/v2/index.js); needs no token.

    Raises:
        ApiError: What answers is not a PAI server.
    """
    return ClusterInfo(session.get("/info", kind=dict, authorized=False))


def get_authn_info(session: Session) -> AuthnInfo:
    """``GET /api/v2/authn/info`` (rest-server/src/routes/authn.js); needs no token.

    Raises:
        ApiError: What answers is not a PAI server.
    """
    return AuthnInfo(session.get("/authn/info", kind=dict, authorized=False))


class Alert(Record):
    """One alert of Prometheus' Alertmanager.

    Attributes:
        name: Which rule fired.
        severity: The rule's own word, such as ``warn`` or ``error``.
        job: The job it is about; ``""`` for none.
        summary: One sentence.
    """

    __slots__ = ()
    labels = mapping("labels")
    annotations = mapping("annotations")
    name = text("labels.alertname")
    severity = text("labels.severity")
    job = text("labels.job_name")
    username = text("labels.username")
    summary = text("annotations.summary")
    state = text("status.state")
    starts_at = iso_moment("startsAt")
    ends_at = iso_moment("endsAt")


def list_alerts(session: Session) -> list[Alert]:
    """``GET /api/v2/alerts``; any token: admins see all, others those about their own jobs.

    Silenced and inhibited alerts are left out (rest-server/src/models/v2/alert.js).

    Raises:
        ServerError: The Alertmanager cannot be reached (``code`` is then Node's own).
    """
    return [Alert(raw) for raw in session.get("/alerts", kind=list)]


def list_nodes(session: Session) -> list[Mapping[str, Any]]:
    """``GET /api/v2/kubernetes/nodes``: the items of a NodeList; an admin's token of any kind.

    Source: rest-server/src/routes/kubernetes.js.

    Raises:
        PermissionDeniedError: Not an admin.
    """
    return list(session.get("/kubernetes/nodes", kind=list, key="items"))


def list_pods(
    session: Session, *, namespace: str | None = None, **selectors: str
) -> list[Mapping[str, Any]]:
    """``GET /api/v2/kubernetes/pods``: the items of a PodList; an admin's token of any kind.

    Args:
        session: The cluster's session.
        namespace: ``None`` means all of them.
        **selectors: Kubernetes' own query keys, such as ``labelSelector``, which the server passes
            on (rest-server/src/routes/kubernetes.js).

    Raises:
        PermissionDeniedError: Not an admin.
    """
    params = {"namespace": namespace, **selectors} if namespace else selectors
    return list(session.get("/kubernetes/pods", params, kind=list, key="items"))
