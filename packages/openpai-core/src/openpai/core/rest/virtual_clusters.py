"""Virtual clusters: shares of the cluster (tag *virtual cluster*)."""

from __future__ import annotations

from openpai.core.rest.record import Record, flag, integer, mapping
from openpai.core.rest.session import Session

__all__ = ["Resources", "VirtualCluster", "list_virtual_clusters"]


class Resources(Record):
    """Amounts of what tasks ask for; memory in MiB."""

    __slots__ = ()
    cpu = integer("cpu")
    memory_mb = integer("memory")
    gpu = integer("gpu")


class VirtualCluster(Record):
    """One virtual cluster.

    Attributes:
        dedicated: Always false on current clusters.
    """

    __slots__ = ()
    dedicated = flag("dedicated")
    resources_used = mapping("resourcesUsed")
    resources_guaranteed = mapping("resourcesGuaranteed")
    resources_total = mapping("resourcesTotal")

    @property
    def used(self) -> Resources:
        """What running tasks hold."""
        return Resources(self.resources_used)

    @property
    def total(self) -> Resources:
        """What there is, broken nodes included."""
        return Resources(self.resources_total)


def list_virtual_clusters(session: Session) -> dict[str, VirtualCluster]:
    """``GET /api/v2/virtual-clusters``: all of the cluster's, by name.

    Raises:
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    return {name: VirtualCluster(raw) for name, raw in session.get("/virtual-clusters").items()}
