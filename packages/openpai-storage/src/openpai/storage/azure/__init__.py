"""Azure Blob Storage."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.storage.azure.blob import open_container as open_container
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "blob": ["open_container"],
        },
    )
