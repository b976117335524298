"""Copy trees between storages: plan, execute, resume, verify."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.storage.transfer.bandwidth import Limiter as Limiter
    from openpai.core.storage.transfer.copier import Copier as Copier
    from openpai.core.storage.transfer.filters import Selection as Selection
    from openpai.core.storage.transfer.options import Options as Options
    from openpai.core.storage.transfer.planner import Step as Step, same_time as same_time
    from openpai.core.storage.transfer.results import (
        Copied as Copied,
        Deleted as Deleted,
        Failed as Failed,
        TransferError as TransferError,
    )
    from openpai.core.storage.transfer.transfer import (
        Transfer as Transfer,
        download as download,
        local_place as local_place,
        upload as upload,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "bandwidth": ["Limiter"],
            "copier": ["Copier"],
            "filters": ["Selection"],
            "options": ["Options"],
            "planner": ["Step", "same_time"],
            "results": ["Copied", "Deleted", "Failed", "TransferError"],
            "transfer": ["Transfer", "download", "local_place", "upload"],
        },
    )
