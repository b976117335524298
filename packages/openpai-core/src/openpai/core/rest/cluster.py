"""What the cluster says of itself (tag *info*; needs no token)."""

from __future__ import annotations

from openpai.core.rest.fields import Record, text
from openpai.core.rest.session import Session

__all__ = ["AuthnInfo", "ClusterInfo", "get_authn_info", "get_info"]


class ClusterInfo(Record):
    """Answer of ``GET /info``.

    Attributes:
        version: PAI's version, ``""`` if the server does not know it.
        launcher_type: Always ``k8s`` on current clusters.
        authn_method: ``basic`` or ``OIDC``.
    """

    __slots__ = ()
    name = text("name")
    version = text("version")
    launcher_type = text("launcherType")
    authn_method = text("authnMethod")


class AuthnInfo(Record):
    """Answer of ``GET /authn/info``: how to log in (not in the OpenAPI file).

    Attributes:
        authn_type: ``basic`` or ``OIDC``.
        login_uri: Path of the login, under ``/rest-server``.
    """

    __slots__ = ()
    authn_type = text("authn_type")
    login_uri = text("loginURI")
    login_method = text("loginURIMethod")


def get_info(session: Session) -> ClusterInfo:
    """``GET /api/v2/info`` (rest-server/src/routes/v2/index.js); needs no token.

    Raises:
        ApiError: What answers is not a PAI server.
        ConnectionFailed: No answer came.
    """
    return ClusterInfo(session.get("/info", kind=dict, authorized=False))


def get_authn_info(session: Session) -> AuthnInfo:
    """``GET /api/v2/authn/info`` (rest-server/src/routes/authn.js); needs no token.

    Raises:
        ApiError: What answers is not a PAI server.
        ConnectionFailed: No answer came.
    """
    return AuthnInfo(session.get("/authn/info", kind=dict, authorized=False))
