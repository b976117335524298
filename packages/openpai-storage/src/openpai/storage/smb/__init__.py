"""SMB shares: Samba, Azure Files."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.storage.smb.storage import (
        open_file_share as open_file_share,
        open_share as open_share,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "storage": ["open_file_share", "open_share"],
        },
    )
