"""What the cluster is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openpai.core.execution import node_name
from openpai.core.local.api.responses import HttpError, answer, text_answer
from openpai.core.local.state.machine import Resources

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.request import Call

__all__ = [
    "alerts",
    "banner",
    "delete",
    "healthz",
    "info",
    "listing",
    "nodes",
    "one",
    "pods",
    "put",
    "set_status",
    "sku_types",
]

#: The release of the real rest-server whose behaviour is emulated.
EMULATED_VERSION = "1.8.0"


def info(_: Call) -> Response:
    """``ANY /info`` and ``/api/v1``."""
    return answer(
        {
            "name": "PAI RESTful API",
            "version": EMULATED_VERSION,
            "launcherType": "k8s",
            "authnMethod": "basic",
        }
    )


def banner(_: Call) -> Response:
    """``ANY /api/v2``."""
    return text_answer("PAI RESTful API v2 (beta version)")


def healthz(_: Call) -> Response:
    """``GET /healthz``, which clients ask the proxy in front of a cluster."""
    return text_answer("ok")


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


def listing(call: Call) -> Response:
    """``GET /virtual-clusters[?nodes]``."""
    if "nodes" in call.request.args:
        total, used = call.service.controller.total.gpu, call.service.controller.used().gpu
        gpus = {"gpuUsed": used, "gpuAvailable": total - used, "gpuTotal": total}
        return answer({node_name(): gpus})
    return answer({name: _shown(call, name) for name in call.service.virtual_clusters})


def one(call: Call) -> Response:
    """``GET /virtual-clusters/{name}``."""
    name = _name(call)
    call.authenticate()
    if name not in call.service.virtual_clusters:
        raise HttpError(404, "NoVirtualClusterError", f"Vc {name} not found")
    return answer(_shown(call, name))


def _name(call: Call) -> str:
    """Return the name in the path; a bad one is refused before the token is looked at."""
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


def put(call: Call) -> Response:
    """``PUT /virtual-clusters/{name}``: never works on Kubernetes."""
    raise _refusal_to_change(call, "Update", "updateVc")


def delete(call: Call) -> Response:
    """``DELETE /virtual-clusters/{name}``: never works on Kubernetes."""
    raise _refusal_to_change(call, "Delete", "removeVc")


def set_status(call: Call) -> Response:
    """``PUT /virtual-clusters/{name}/status``: never works on Kubernetes."""
    raise _refusal_to_change(call, "Update", "stopVc")


def _refusal_to_change(call: Call, verb: str, operation: str) -> HttpError:
    if _name(call) == "default":
        message = f"{verb} operation to default vc isn't allowed"
        return HttpError(403, "ForbiddenUserError", message)
    call.authenticate()
    call.refuse_applications()
    call.require_admin()
    return HttpError(400, "NotImplementedError", f"{operation} not implemented in k8s")


def sku_types(call: Call) -> Response:
    """``GET /cluster/sku-types[?vc=]``: empty, as without HiveD."""
    name = call.request.args.get("vc")
    if name is not None and name not in call.service.virtual_clusters:
        message = f"Cannot get sku types for virtual clyster {name}."  # spelled as it is there
        raise HttpError(404, "NoVirtualClusterError", message)
    return answer({})
