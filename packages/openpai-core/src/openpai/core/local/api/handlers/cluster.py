"""Information about the cluster, its nodes and virtual clusters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openpai.core.execution import node_name
from openpai.core.local.api.responses import HttpError, json_response, text_response
from openpai.core.local.state.machine import Resources

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = [
    "alerts",
    "banner",
    "change",
    "healthz",
    "info",
    "listing",
    "nodes",
    "one",
    "pods",
    "sku_types",
]

#: Version of the emulated rest-server.
EMULATED_VERSION = "1.8.0"


def info(_: Call) -> Response:
    """``ANY /info`` and ``/api/v1``."""
    return json_response(
        {
            "name": "PAI RESTful API",
            "version": EMULATED_VERSION,
            "launcherType": "k8s",
            "authnMethod": "basic",
        }
    )


def banner(_: Call) -> Response:
    """``ANY /api/v2``."""
    return text_response("PAI RESTful API v2 (beta version)")


def healthz(_: Call) -> Response:
    """``GET /healthz``, which a real cluster's proxy serves."""
    return text_response("ok")


def alerts(_: Call) -> Response:
    """``GET /alerts``: always empty."""
    return json_response([])


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
    return json_response({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": [node]})


def pods(call: Call) -> Response:
    """``GET /kubernetes/pods``: always empty."""
    call.require_admin()
    metadata = {"resourceVersion": "0"}
    return json_response({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": []})


def listing(call: Call) -> Response:
    """``GET /virtual-clusters[?nodes]``."""
    if "nodes" in call.request.args:
        total, used = call.service.controller.total.gpu, call.service.controller.used().gpu
        gpus = {"gpuUsed": used, "gpuAvailable": total - used, "gpuTotal": total}
        return json_response({node_name(): gpus})
    return json_response({name: _shown(call, name) for name in call.service.virtual_clusters})


def one(call: Call) -> Response:
    """``GET /virtual-clusters/{name}``."""
    name = _name(call)
    call.authenticate()
    if name not in call.service.virtual_clusters:
        raise HttpError(404, "NoVirtualClusterError", f"Vc {name} not found")
    return json_response(_shown(call, name))


def _name(call: Call) -> str:
    """Return the name in the path; an invalid one is refused before the token is checked."""
    name = call.arguments[0]
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise HttpError(
            400,
            "InvalidParametersError",
            "VC name should only contain alpha-numeric and underscore characters",
        )
    return name


def _shown(call: Call, name: str) -> dict[str, Any]:
    controller = call.service.controller
    whole = controller.total
    total = controller.quotas.get(name, whole)
    used = controller.used(name)
    shown: dict[str, Any] = {
        "capacity": _percent(total.gpu, whole.gpu),
        "usedCapacity": _percent(used.gpu, whole.gpu),
        "dedicated": False,
        "resourcesUsed": _amounts(used),
        "resourcesGuaranteed": _amounts(total),
        "resourcesTotal": _amounts(total),
    }
    if whole.gpu:
        shown["maxCapacity"] = shown["capacity"]
    return shown


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0


def _amounts(resources: Resources) -> dict[str, int]:
    return {
        "cpu": resources.cpu,
        "memory": resources.memory_mb,
        "gpu": resources.gpu,
        "vCores": resources.cpu,
        "GPUs": resources.gpu,
    }


def change(call: Call) -> Response:
    """Changes of ``/virtual-clusters``, which PAI on Kubernetes does not implement."""
    call.require_admin()
    raise HttpError(400, "NotImplementedError", "updateVc not implemented in k8s")


def sku_types(call: Call) -> Response:
    """``GET /cluster/sku-types[?vc=]``: empty, as without HiveD."""
    name = call.request.args.get("vc")
    if name is not None and name not in call.service.virtual_clusters:
        message = f"Cannot get sku types for virtual clyster {name}."  # spelled as it is there
        raise HttpError(404, "NoVirtualClusterError", message)
    return json_response({})
