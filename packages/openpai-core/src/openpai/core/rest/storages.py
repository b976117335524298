"""The storages that the cluster's admin granted (tag *storage*)."""

from __future__ import annotations

from openpai.core.rest.fields import Record, flag, items, mapping, text
from openpai.core.rest.session import Session, segment

__all__ = ["StorageDetail", "StorageSummary", "get_storage", "list_storages"]


class StorageSummary(Record):
    """One item of the list.

    Attributes:
        share: Whether all users see the same files; a missing value means yes.
        default: Whether it is one of the user's default storages.
    """

    __slots__ = ()
    name = text("name")
    share = flag("share", default=True)
    volume_name = text("volumeName")
    default = flag("default")


class StorageDetail(Record):
    """One storage with its address. ``data`` may hold keys in clear: never print or log it.

    Attributes:
        type: ``nfs``, ``samba``, ``azureFile``, ``azureBlob``, ``dshuttle``, ``other`` or
            ``unknown``; ``""`` for other CSI drivers and for volumes that are not bound yet.
        data: Address and credentials, by type (rest-server/src/models/v2/storage.js).
    """

    __slots__ = ()
    name = text("name")
    share = flag("share", default=True)
    volume_name = text("volumeName")
    type = text("type")
    data = mapping("data")
    read_only = flag("readOnly")
    mount_options = items("mountOptions")


def list_storages(session: Session, *, default: bool = False) -> list[StorageSummary]:
    """``GET /api/v2/storages``; with ``default`` only the user's default ones; any token.

    Source: rest-server/src/models/v2/storage.js.
    """
    params = {"default": "true"} if default else None
    found = session.get("/storages", params, kind=list, key="storages")
    return [StorageSummary(item) for item in found]


def get_storage(session: Session, name: str) -> StorageDetail:
    """``GET /api/v2/storages/{name}``; any token of a user to whom it is granted.

    Source: rest-server/src/models/v2/storage.js.

    Raises:
        NotFoundError: There is no such storage.
        PermissionDeniedError: It is not granted to the user.
    """
    return StorageDetail(session.get(f"/storages/{segment(name)}", kind=dict))
