"""Sources of a job: select, pack and upload them."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.code.archive import (
        Archive as Archive,
        file_sha256 as file_sha256,
        unpack_archive as unpack_archive,
    )
    from openpai.core.code.sources import (
        pack_sources as pack_sources,
        report_sizes as report_sizes,
        source_limit as source_limit,
        upload_code as upload_code,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "archive": ["Archive", "file_sha256", "unpack_archive"],
            "sources": ["pack_sources", "report_sizes", "source_limit", "upload_code"],
        },
    )
