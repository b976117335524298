"""``ClusterStorages``: which storages a user has, how this machine reaches them, open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Mapping

from openpai.core.config import mounts_of_environment
from openpai.core.errors import NotFoundError
from openpai.core.rest import storages
from openpai.core.storage import Storage, StorageSpec, open_storage

if TYPE_CHECKING:
    from openpai.core.rest import Session

__all__ = ["ClusterStorages"]


class ClusterStorages:
    """The storages of one user on one cluster.

    Args:
        session: The cluster's session.
        mounts: Where storages are mounted on this machine: storage name → folder.
        attached: Storages that the cluster does not list, such as HDFS.
        addresses: How this machine reaches storages that the cluster lists, where that differs:
            storage name → keys that replace the server's.
    """

    def __init__(
        self,
        session: Session,
        *,
        mounts: Mapping[str, str],
        attached: Iterable[StorageSpec],
        addresses: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._session = session
        self._mounts = dict(mounts)
        self._attached = {spec.name: spec for spec in attached}
        self._addresses = dict(addresses)

    def specs(self) -> list[StorageSpec]:
        """Return the storages granted to the user, the default ones first, then attached ones."""
        defaults = [item.name for item in storages.list_storages(self._session, default=True)]
        granted = [item.name for item in storages.list_storages(self._session)]
        return [self.spec(name) for name in dict.fromkeys([*defaults, *granted, *self._attached])]

    def default_name(self) -> str:
        """Return the name of the user's default storage, or of the only one.

        Raises:
            NotFoundError: The cluster offers none, or several and no default.
        """
        defaults = storages.list_storages(self._session, default=True)
        granted = defaults or storages.list_storages(self._session)
        if defaults or len(granted) == 1:
            return granted[0].name
        names = ", ".join(item.name for item in granted)
        raise NotFoundError(
            f"The cluster has no default storage for you (granted: {names or 'none'}).",
            status=404,
            hint="Name one as NAME:/PATH." if names else "Ask the cluster's admin for one.",
        )

    def spec(self, name: str) -> StorageSpec:
        """Return the description of a storage as this machine reaches it.

        Raises:
            NotFoundError: There is no such storage.
            PermissionDeniedError: It is not granted to the user.
        """
        if name in self._attached:
            return self._attached[name]
        found = storages.get_storage(self._session, name)
        return StorageSpec(
            name=name,
            type=found.type,
            data={**found.data, **self._addresses.get(name, {})},
            read_only=found.read_only,
            mount_path=mounts_of_environment().get(name) or self._mounts.get(name),
        )

    def open(self, name: str | None = None) -> Storage:
        """Open a storage; ``None`` means the user's default one.

        Raises:
            NotFoundError: There is no such storage, or no default.
            PermissionDeniedError: It is not granted to the user.
            StorageError: It cannot be opened from this machine.
        """
        spec = self.spec(name or self.default_name())
        if spec.name in self._attached:
            from openpai.core.config import with_secrets

            spec = with_secrets(spec)
        return open_storage(spec)
