"""What the cluster is and has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from openpai.core.local.scheduler import Resources
from openpai.core.local.views import node_name
from openpai.core.local.wire import Refusal, answer, text_answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.app import Call

__all__ = ["banner", "healthz", "info", "sku_types", "virtual_cluster", "virtual_clusters"]

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


def virtual_clusters(call: Call) -> Response:
    """``GET /virtual-clusters[?nodes]``."""
    if "nodes" in call.request.args:
        total, used = call.service.controller.total.gpu, call.service.controller.used().gpu
        gpus = {"gpuUsed": used, "gpuAvailable": total - used, "gpuTotal": total}
        return answer({node_name(): gpus})
    return answer({name: _virtual_cluster(call, name) for name in call.service.virtual_clusters})


def virtual_cluster(call: Call) -> Response:
    """``GET /virtual-clusters/{name}``; a bad name is refused before the token is looked at."""
    name = call.arguments[0]
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise Refusal(
            400,
            "InvalidParametersError",
            "VC name should only contain alpha-numeric and underscore characters",
        )
    call.authenticate()
    if name not in call.service.virtual_clusters:
        raise Refusal(404, "NoVirtualClusterError", f"Vc {name} not found")
    return answer(_virtual_cluster(call, name))


def _virtual_cluster(call: Call, name: str) -> dict[str, Any]:
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


def sku_types(_: Call) -> Response:
    """``GET /cluster/sku-types``: empty, as without HiveD."""
    return answer({})
