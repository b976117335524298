"""Users, and what admins do with them (tag *user*).

Every signed-in user may read any user, private keys in ``extension`` included
(rest-server/src/routes/user.js); so records show nothing of it by ``repr``.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from openpai.core.errors import ConflictError
from openpai.core.rest.authn import basic_login
from openpai.core.rest.fields import Record, flag, items, mapping, text
from openpai.core.rest.reconcile import AMBIGUOUS_ERRORS, get_after_lost_answer
from openpai.core.rest.session import Session, segment

__all__ = [
    "User",
    "add_user_to_group",
    "change_password",
    "create_user",
    "delete_user",
    "get_user",
    "list_users",
    "remove_user_from_group",
    "set_user_admin",
    "set_user_email",
    "set_user_extension",
    "set_user_groups",
    "set_user_virtual_clusters",
    "update_own_user",
    "update_user",
]

# Making a user makes an RSA key in plain JavaScript, which takes seconds (k8s-secret.js).
_SLOW = (10.0, 120.0)


class User(Record):
    """One user. ``extension`` may hold private keys: never print or log it.

    Attributes:
        groups: Names of groups; virtual clusters, storages and the admin right follow from them.
        virtual_clusters: Those the user may submit to; an admin's are all.
        storages: Those granted to the user.
    """

    __slots__ = ()
    username = text("username")
    email = text("email")
    admin = flag("admin")
    groups = items("grouplist")
    virtual_clusters = items("virtualCluster")
    storages = items("storageConfig")
    extension = mapping("extension")


def list_users(session: Session) -> list[User]:
    """``GET /api/v2/users``; any token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        ServerError: A user's group list names a vanished group (the server answers 500 for all).
    """
    return [User(raw) for raw in session.get("/users", kind=list)]


def get_user(session: Session, name: str) -> User:
    """``GET /api/v2/users/{user}``; any token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user (the server answers 400).
    """
    return User(session.get(f"/users/{segment(name)}", kind=dict))


def create_user(
    session: Session,
    name: str,
    password: str,
    *,
    email: str = "",
    virtual_clusters: Sequence[str] = (),
    admin: bool = False,
    extension: Mapping[str, Any] | None = None,
) -> None:
    """``POST /api/v2/users``; an admin's user token, and only where users log in by password.

    The server is busy for seconds; where its answer is lost, or a proxy gave it up, it is asked
    whether the user exists.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        ConflictError: The name is taken.
        NotFoundError: There is no such virtual cluster, or users sign in by OIDC.
        PermissionDeniedError: Not an admin, or an application token.
        ApiError: A value breaks the server's rules.
        ConnectionFailed: It could not be found out whether the user was made.
    """
    body: dict[str, Any] = {"username": name, "password": password, "admin": admin}
    body["virtualCluster"] = list(virtual_clusters)
    if email:
        body["email"] = email
    if extension is not None:
        body["extension"] = dict(extension)
    try:
        session.json("POST", "/users", json=body, timeout=_SLOW)
    except AMBIGUOUS_ERRORS as error:
        found = get_after_lost_answer(error, lambda: get_user(session, name))
        if found is None:
            raise
        if (found.email, found.admin) != (email, admin):
            raise ConflictError(
                f"Another user is called '{name}'.", status=409, code="ConflictUserError"
            ) from None


def update_user(session: Session, name: str, **changes: Any) -> None:
    """``PUT /api/v2/users``, changing only the given values; an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Args:
        session: The cluster's session.
        name: Whom to change.
        **changes: The server's own keys: ``email``, ``password``, ``admin``, ``virtualCluster`` and
            ``extension``; only the last where users sign in by OIDC. ``virtualCluster`` replaces
            the whole group list: other groups and, unless ``admin=True`` is given with it, the
            admin right are lost.

    Raises:
        NotFoundError: There is no such user.
        PermissionDeniedError: Not an admin, or an application token.
        ApiError: A value breaks the server's rules.
        ConnectionFailed: No answer came; the change may have been made.
    """
    body = {"data": {"username": name, **changes}, "patch": True}
    # A new password may end the very token that a second try would need.
    session.send("PUT", "/users", body, repeatable="password" not in changes)


def update_own_user(session: Session, name: str, **changes: Any) -> None:
    """``PUT /api/v2/users/me``: change one's own ``email`` or ``extension``; a user token.

    The server accepts a new password here and does not store it; see :func:`change_password`.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        PermissionDeniedError: ``name`` is not the token's user.
        ApiError: A value breaks the server's rules.
        ConnectionFailed: No answer came; the change may have been made.
    """
    body = {"data": {"username": name, **changes}, "patch": True}
    session.send("PUT", "/users/me", body, repeatable=True)


def delete_user(session: Session, name: str) -> None:
    """``DELETE /api/v2/users/{user}``; an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user.
        PermissionDeniedError: Not an admin, or the user is one.
        ConnectionFailed: No answer came, and the user is still there.
    """
    try:
        session.send("DELETE", f"/users/{segment(name)}")
    except AMBIGUOUS_ERRORS as error:
        if get_after_lost_answer(error, lambda: get_user(session, name)) is not None:
            raise


def change_password(session: Session, name: str, old: str, new: str) -> None:
    """``PUT /api/v2/users/{user}/password``: the undocumented call that changes a password.

    Anyone who knows the old one may do it; an admin may give any old one
    (rest-server/src/controllers/v2/user.js). All of the user's tokens but application tokens end.

    Raises:
        PermissionDeniedError: The old password is wrong.
        NotFoundError: There is no such user.
        ApiError: The new password has fewer than 6 characters.
        ConnectionFailed: No answer came, and the new password is not valid.
    """
    body = {"oldPassword": old, "newPassword": new}
    try:
        session.send("PUT", f"/users/{segment(name)}/password", body)
    except AMBIGUOUS_ERRORS as error:
        if get_after_lost_answer(error, lambda: basic_login(session, name, new)) is None:
            raise


def add_user_to_group(session: Session, name: str, group: str) -> None:
    """``PUT /api/v2/users/{user}/group``; an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user or group.
        PermissionDeniedError: Not an admin.
    """
    path = f"/users/{segment(name)}/group"
    session.send("PUT", path, {"groupname": group}, repeatable=True)


def remove_user_from_group(session: Session, name: str, group: str) -> None:
    """``DELETE /api/v2/users/{user}/group``; an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user or group.
        PermissionDeniedError: Not an admin.
    """
    path = f"/users/{segment(name)}/group"
    session.send("DELETE", path, {"groupname": group}, repeatable=True)


def set_user_groups(session: Session, name: str, groups: Sequence[str]) -> None:
    """``PUT /api/v2/users/{user}/grouplist``: replace all groups; an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user or group.
        PermissionDeniedError: Not an admin.
    """
    _set(session, name, "grouplist", {"grouplist": list(groups)})


def set_user_virtual_clusters(session: Session, name: str, names: Sequence[str]) -> None:
    """``PUT /api/v2/users/{user}/virtualcluster``; undocumented, an admin's user token.

    It replaces the whole group list by the groups of these virtual clusters and ``default``; an
    admin is one no longer.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user or virtual cluster.
        PermissionDeniedError: Not an admin.
    """
    _set(session, name, "virtualcluster", {"virtualCluster": list(names)})


def set_user_admin(session: Session, name: str, admin: bool) -> None:
    """``PUT /api/v2/users/{user}/admin``; undocumented, an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user.
        PermissionDeniedError: Not an admin.
    """
    _set(session, name, "admin", {"admin": admin})


def set_user_email(session: Session, name: str, email: str) -> None:
    """``PUT /api/v2/users/{user}/email``; undocumented, one's own or an admin's user token.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user.
        PermissionDeniedError: Another user's.
    """
    _set(session, name, "email", {"email": email})


def set_user_extension(session: Session, name: str, extension: Mapping[str, Any]) -> None:
    """``PUT /api/v2/users/{user}/extension``; undocumented, one's own or an admin's user token.

    Keys are merged on the first level and cannot be removed.

    Source: rest-server/src/controllers/v2/user.js.

    Raises:
        NotFoundError: There is no such user.
        PermissionDeniedError: Another user's.
    """
    _set(session, name, "extension", {"extension": dict(extension)})


def _set(session: Session, name: str, what: str, body: Mapping[str, Any]) -> None:
    session.send("PUT", f"/users/{segment(name)}/{what}", body, repeatable=True)
