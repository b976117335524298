"""What Kubernetes says, as it says it (tag *kubernetes*; for admins)."""

from __future__ import annotations

from typing import Any, Mapping

from openpai.core.rest.session import Session

__all__ = ["list_nodes", "list_pods"]


def list_nodes(session: Session) -> list[Mapping[str, Any]]:
    """``GET /api/v2/kubernetes/nodes``: the items of a NodeList; an admin's token of any kind.

    Source: rest-server/src/routes/kubernetes.js.

    Raises:
        PermissionDeniedError: Not an admin.
        ConnectionFailed: No answer came.
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
        ConnectionFailed: No answer came.
    """
    params = {"namespace": namespace, **selectors} if namespace else selectors
    return list(session.get("/kubernetes/pods", params, kind=list, key="items"))
