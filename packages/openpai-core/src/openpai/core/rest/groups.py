"""Groups: what virtual clusters, storages and rights their members have (tag *group*)."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from openpai.core.errors import ConflictError, NotFoundError
from openpai.core.rest.fields import Record, flag, mapping, text
from openpai.core.rest.reconcile import AMBIGUOUS_ERRORS, get_after_lost_answer, is_plain_500
from openpai.core.rest.session import Session, segment

__all__ = [
    "Group",
    "Member",
    "create_group",
    "delete_group",
    "get_group",
    "list_group_members",
    "list_groups",
    "set_group_extension",
    "update_group",
]


class Group(Record):
    """One group.

    Attributes:
        external_name: Its name in the directory, where users sign in by OIDC.
        extension: Its ``acls`` and whatever else was stored.
    """

    __slots__ = ()
    name = text("groupname")
    description = text("description")
    external_name = text("externalName")
    extension = mapping("extension")
    admin = flag("extension.acls.admin")
    acls = mapping("extension.acls")

    @property
    def virtual_clusters(self) -> tuple[str, ...]:
        """The virtual clusters its members may submit to."""
        return tuple(self.acls.get("virtualClusters") or ())

    @property
    def storages(self) -> tuple[str, ...]:
        """The storages granted to its members; the first is one of their default storages."""
        return tuple(self.acls.get("storageConfigs") or ())


class Member(Record):
    """A member of a group.

    Attributes:
        admin: Whether the user administers the cluster.
    """

    __slots__ = ()
    username = text("username")
    admin = flag("clusterAdmin")


def list_groups(session: Session) -> list[Group]:
    """``GET /api/v2/groups``; any token (rest-server/src/controllers/v2/group.js)."""
    return [Group(raw) for raw in session.get("/groups", kind=list)]


def get_group(session: Session, name: str) -> Group:
    """``GET /api/v2/groups/{group}``; any token.

    Source: rest-server/src/controllers/v2/group.js.

    Raises:
        NotFoundError: There is no such group (the server answers 400).
    """
    return Group(session.get(f"/groups/{segment(name)}", kind=dict))


def list_group_members(session: Session, name: str) -> list[Member]:
    """``GET /api/v2/groups/{group}/userlist``; an admin's token of any kind.

    Source: rest-server/src/controllers/v2/group.js.

    Raises:
        PermissionDeniedError: Not an admin.
    """
    found = session.get(f"/groups/{segment(name)}/userlist", kind=list)
    return [Member(raw) for raw in found]


def create_group(
    session: Session,
    name: str,
    *,
    description: str = "",
    external_name: str = "",
    extension: Mapping[str, Any] | None = None,
) -> None:
    """``POST /api/v2/groups``; an admin's user token.

    Source: rest-server/src/controllers/v2/group.js.

    Args:
        session: The cluster's session.
        name: Letters, digits and ``_``.
        description: What it is for.
        external_name: Its name in the directory.
        extension: ``{"acls": {"admin": …, "virtualClusters": […], "storageConfigs": […]}}``.

    Raises:
        ConflictError: The name is taken (the server answers 500).
        PermissionDeniedError: Not an admin.
        ConnectionFailed: No answer came, and there is no such group; or it is unknown.
    """
    body = {"groupname": name, "description": description, "externalName": external_name}
    try:
        session.send("POST", "/groups", {**body, "extension": dict(extension or {})})
    except AMBIGUOUS_ERRORS as error:
        found = get_after_lost_answer(error, lambda: get_group(session, name))
        if found is None:
            raise
        same = (found.description, found.external_name) == (description, external_name)
        if not same or is_plain_500(error):
            raise ConflictError(
                f"Another group is called '{name}'.", status=409, code="ConflictGroupError"
            ) from None


def update_group(session: Session, name: str, **changes: Any) -> None:
    """``PUT /api/v2/groups``, changing only the given values; an admin's user token.

    Source: rest-server/src/controllers/v2/group.js.

    Args:
        session: The cluster's session.
        name: Which group.
        **changes: The server's own keys: ``description``, ``externalName``, ``extension``.

    Raises:
        NotFoundError: There is no such group (the server answers 400).
        PermissionDeniedError: Not an admin.
    """
    body = {"data": {"groupname": name, **changes}, "patch": True}
    session.send("PUT", "/groups", body, repeatable=True)


def set_group_extension(session: Session, name: str, keys: Sequence[str], value: Any) -> None:
    """``PUT /api/v2/groups/{group}/extension/{keys}``; undocumented, an admin's user token.

    Source: rest-server/src/controllers/v2/group.js.

    Args:
        session: The cluster's session.
        name: Which group.
        keys: One or two keys, such as ``("acls", "virtualClusters")``.
        value: What is to stand there.

    Raises:
        NotFoundError: There is no such group (the server answers 400).
        PermissionDeniedError: Not an admin.
    """
    path = "/".join(segment(key) for key in keys)
    body = {"data": value}
    session.send("PUT", f"/groups/{segment(name)}/extension/{path}", body, repeatable=True)


def delete_group(session: Session, name: str) -> None:
    """``DELETE /api/v2/groups/{group}``; an admin's user token.

    Users who are still members can no longer use their tokens.

    Source: rest-server/src/controllers/v2/group.js.

    Raises:
        NotFoundError: There is no such group (the server answers 500).
        PermissionDeniedError: Not an admin.
        ConnectionFailed: No answer came, and the group is still there; or it is unknown.
    """
    try:
        session.send("DELETE", f"/groups/{segment(name)}")
    except AMBIGUOUS_ERRORS as error:
        if get_after_lost_answer(error, lambda: get_group(session, name)) is not None:
            raise
        if is_plain_500(error):
            raise NotFoundError(
                f"There is no group '{name}'.", status=404, code="NoGroupError"
            ) from None
