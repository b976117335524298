"""What the real server passes on from Kubernetes and Alertmanager: one node and no pods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.serializers import node_name
from openpai.core.local.api.responses import answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.app import Call

__all__ = ["alerts", "nodes", "pods"]


def alerts(_: Call) -> Response:
    """``GET /alerts``: there is no Alertmanager, and so none."""
    return answer([])


def nodes(call: Call) -> Response:
    """``GET /kubernetes/nodes``: this machine."""
    call.require_admin()
    total = call.service.controller.total
    amounts = {
        "cpu": str(total.cpu),
        "memory": f"{total.memory_mb}Mi",
        "nvidia.com/gpu": str(total.gpu),
    }
    node = {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": node_name(),
            "labels": {"pai-worker": "true", "kubernetes.io/hostname": node_name()},
        },
        "spec": {},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "addresses": [
                {"type": "InternalIP", "address": "127.0.0.1"},
                {"type": "Hostname", "address": node_name()},
            ],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return answer({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [node]})


def pods(call: Call) -> Response:
    """``GET /kubernetes/pods``: there is no Kubernetes, and so none."""
    call.require_admin()
    metadata = {"resourceVersion": "0"}
    return answer({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": []})
