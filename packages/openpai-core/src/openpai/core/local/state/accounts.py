"""Users, their passwords, and the rights of their groups."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpai.core.local.state.models import Group, User

if TYPE_CHECKING:
    from openpai.core.local.state.store import Store

__all__ = ["Rights", "create_defaults", "hash_password", "is_password", "login_name", "rights"]

_ROUNDS = 60_000


def login_name() -> str:
    """Return the login name in the characters that PAI allows in user names."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a uid without a name, in a container
        name = ""
    return re.sub(r"[^\w.-]", "-", name, flags=re.ASCII) or "user"


def hash_password(password: str) -> str:
    """Return the salted hash of a password."""
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(password, salt)}"


def is_password(kept: str, password: str) -> bool:
    """Whether ``kept`` is the hash of the password."""
    salt, _, digest = kept.partition("$")
    return bool(digest) and hmac.compare_digest(digest, _digest(password, salt))


def _digest(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS).hex()


@dataclass(frozen=True)
class Rights:
    """The rights of all groups of a user, in the order of the groups."""

    admin: bool
    virtual_clusters: tuple[str, ...]
    storages: tuple[str, ...]
    default_storages: tuple[str, ...]


def rights(store: Store, user: User, all_virtual_clusters: list[str]) -> Rights:
    """Return a user's rights (rest-server/src/models/v2/user.js): an admin has every VC."""
    admin = False
    found: dict[str, None] = {}
    storages: dict[str, None] = {}
    defaults: dict[str, None] = {}
    for name in user.groups:
        group = store.one(Group, "name = ?", (name,))
        if group is None:
            continue
        acls: dict[str, Any] = group.extension.get("acls", {})
        admin = admin or bool(acls.get("admin"))
        found.update(dict.fromkeys(acls.get("virtualClusters", ())))
        granted = list(acls.get("storageConfigs", ()))
        storages.update(dict.fromkeys(granted))
        defaults.update(dict.fromkeys(granted[:1]))
    if admin:
        found.update(dict.fromkeys(all_virtual_clusters))
    return Rights(admin, tuple(found), tuple(storages), tuple(defaults))


def create_defaults(
    store: Store, name: str, password: str, virtual_clusters: list[str], storages: list[str]
) -> None:
    """Create PAI's default groups in an empty database, and the first user, an admin."""
    groups = []
    if not store.find(User, "1 LIMIT 1"):
        groups = [
            _group("admingroup", "the group for admin users", True, virtual_clusters, storages),
            _group("default", "the default group for all users", False, ["default"], storages),
        ]
    for vc in virtual_clusters:
        if vc != "default":
            groups.append(_group(vc, f"the group for virtual cluster {vc}", False, [vc], []))
    with store.transaction():
        for group in groups:
            if store.one(Group, "name = ?", (group.name,)) is None:
                store.save(group)
        if store.one(User, "name = ?", (name,)) is None:
            hashed = hash_password(password)
            store.save(User(name, hashed, groups=["default", "admingroup"]))


def _group(
    name: str, description: str, admin: bool, virtual_clusters: list[str], storages: list[str]
) -> Group:
    acls = {"admin": admin, "virtualClusters": virtual_clusters, "storageConfigs": storages}
    return Group(name, description, extension={"acls": acls})
