"""Storages: the interface, the local folder, checksums, the job folder, transfers."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.storage.base import (
        Entry as Entry,
        Storage as Storage,
        StorageSpec as StorageSpec,
        accept as accept,
        open_storage as open_storage,
        with_entry as with_entry,
    )
    from openpai.core.storage.checksums import Checksum as Checksum, hasher as hasher
    from openpai.core.storage.local import LocalStorage as LocalStorage
    from openpai.core.storage.paths import (
        StorageUri as StorageUri,
        below as below,
        normalize as normalize,
        with_path_in_errors as with_path_in_errors,
    )
    from openpai.core.storage.temp_files import (
        is_partial as is_partial,
        partial_name as partial_name,
        parts_name as parts_name,
    )
    from openpai.core.storage.upload import Upload as Upload
    from openpai.core.storage.workspace import JobFolder as JobFolder, Workspace as Workspace
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "base": ["Entry", "Storage", "StorageSpec", "accept", "open_storage", "with_entry"],
            "checksums": ["Checksum", "hasher"],
            "local": ["LocalStorage"],
            "paths": ["StorageUri", "below", "normalize", "with_path_in_errors"],
            "temp_files": ["is_partial", "partial_name", "parts_name"],
            "upload": ["Upload"],
            "workspace": ["JobFolder", "Workspace"],
        },
    )
