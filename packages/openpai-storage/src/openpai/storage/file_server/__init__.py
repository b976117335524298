"""Files on a file server: SFTP, SMB."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.storage.file_server.storage import FileServerStorage as FileServerStorage
    from openpai.storage.file_server.streams import BLOCK as BLOCK, RemoteFile as RemoteFile
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "storage": ["FileServerStorage"],
            "streams": ["BLOCK", "RemoteFile"],
        },
    )
