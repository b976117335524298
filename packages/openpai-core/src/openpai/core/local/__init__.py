"""A PAI on one machine: a real REST server that really runs jobs (``openpai-core[local]``)."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.local.cluster import (
        LocalCluster as LocalCluster,
        run_in_folder as run_in_folder,
    )
    from openpai.core.local.daemon import Running as Running, prune as prune, status as status
    from openpai.core.local.executor.engines import ENGINES as ENGINES
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "cluster": ["LocalCluster", "run_in_folder"],
            "daemon": ["Running", "prune", "status"],
            "executor.engines": ["ENGINES"],
        },
    )
