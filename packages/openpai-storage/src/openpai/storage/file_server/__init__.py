"""Files on a file server: SFTP, SMB."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.storage.file_server.storage import RemoteFolder as RemoteFolder
    from openpai.storage.file_server.streams import BLOCK as BLOCK, RemoteFile as RemoteFile
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "storage": ["RemoteFolder"],
            "streams": ["BLOCK", "RemoteFile"],
        },
    )
