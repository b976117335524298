"""Virtual clusters: shares of the cluster, and what stands behind them (tag *virtual cluster*)."""

from __future__ import annotations

from openpai.core.rest.fields import Record, flag, integer, mapping, optional_number
from openpai.core.rest.session import Session, segment

__all__ = [
    "NodeGpus",
    "Resources",
    "SkuType",
    "VirtualCluster",
    "get_virtual_cluster",
    "list_node_gpus",
    "list_sku_types",
    "list_virtual_clusters",
]


class Resources(Record):
    """Amounts of what tasks ask for; memory in MiB."""

    __slots__ = ()
    cpu = integer("cpu")
    memory_mb = integer("memory")
    gpu = integer("gpu")


class SkuType(Resources):
    """Resources of a cell of a HiveD cluster; memory in MiB."""

    __slots__ = ()


class NodeGpus(Record):
    """The GPUs of one node."""

    __slots__ = ()
    used = integer("gpuUsed")
    available = integer("gpuAvailable")
    total = integer("gpuTotal")


class VirtualCluster(Record):
    """One virtual cluster.

    Attributes:
        capacity: Its share of all GPUs of the cluster, in percent.
        used_capacity: What running tasks hold of all GPUs, in percent.
        max_capacity: As ``capacity``; ``None`` on a cluster without GPUs.
        dedicated: Always false on current clusters.
    """

    __slots__ = ()
    capacity = optional_number("capacity")
    used_capacity = optional_number("usedCapacity")
    max_capacity = optional_number("maxCapacity")
    dedicated = flag("dedicated")
    resources_used = mapping("resourcesUsed")
    resources_guaranteed = mapping("resourcesGuaranteed")
    resources_total = mapping("resourcesTotal")

    @property
    def used(self) -> Resources:
        """Resources of running tasks."""
        return Resources(self.resources_used)

    @property
    def guaranteed(self) -> Resources:
        """Resources of healthy nodes."""
        return Resources(self.resources_guaranteed)

    @property
    def total(self) -> Resources:
        """Resources of all nodes, unhealthy ones included."""
        return Resources(self.resources_total)

    @property
    def free(self) -> Resources:
        """Free resources of healthy nodes; never negative."""
        used, healthy = self.resources_used, self.resources_guaranteed
        keys = ("cpu", "memory", "gpu")
        return Resources({k: max((healthy.get(k) or 0) - (used.get(k) or 0), 0) for k in keys})


def list_virtual_clusters(session: Session) -> dict[str, VirtualCluster]:
    """``GET /api/v2/virtual-clusters``: all of the cluster's, by name; any token.

    Those the token's user may submit to are in the user's own record
    (rest-server/src/models/v2/virtual-cluster/k8s.js).
    """
    found = session.get("/virtual-clusters", kind=dict)
    return {name: VirtualCluster(raw) for name, raw in found.items()}


def get_virtual_cluster(session: Session, name: str) -> VirtualCluster:
    """``GET /api/v2/virtual-clusters/{vc}``; any token.

    Source: rest-server/src/models/v2/virtual-cluster/k8s.js.

    Raises:
        NotFoundError: There is no such virtual cluster.
        ApiError: The name has other characters than letters, digits and ``_``.
    """
    return VirtualCluster(session.get(f"/virtual-clusters/{segment(name)}", kind=dict))


def list_node_gpus(session: Session) -> dict[str, NodeGpus]:
    """``GET /api/v2/virtual-clusters?nodes``: GPUs by node; undocumented, any token.

    Source: rest-server/src/models/v2/virtual-cluster/k8s.js.
    """
    found = session.get("/virtual-clusters?nodes", kind=dict)
    return {name: NodeGpus(raw) for name, raw in found.items()}


def list_sku_types(session: Session, virtual_cluster: str | None = None) -> dict[str, SkuType]:
    """``GET /api/v2/cluster/sku-types``: kinds of cells by name; undocumented, any token.

    Empty on clusters without HiveD (rest-server/src/controllers/v2/cluster.js).

    Raises:
        NotFoundError: There is no such virtual cluster.
    """
    params = {"vc": virtual_cluster} if virtual_cluster else None
    found = session.get("/cluster/sku-types", params, kind=dict)
    return {name: SkuType(raw) for name, raw in found.items()}
