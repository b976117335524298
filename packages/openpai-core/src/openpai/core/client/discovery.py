"""Find the PAI cluster behind an address: a host, a port, a page of the web portal.

``GET /info`` needs no token, so no credentials are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from openpai.core.errors import ApiError, ConnectionFailed, RateLimitError
from openpai.core.rest import Address, ClusterInfo, Session, get_info

__all__ = ["Found", "discover"]

_KEYS = ("version", "authnMethod", "launcherType")
_MAX_FOLDERS = 3
# Timeout in seconds for addresses that the user did not name.
_SHORT_TIMEOUT = 3.0


@dataclass(frozen=True)
class Found:
    """A cluster that answers.

    Attributes:
        uri: Its address, as :class:`~openpai.core.client.cluster.Cluster` takes it.
        info: Its version and login method.
        clock_ahead: Seconds by which its clock is ahead of this machine's; 0 if by very few.
    """

    uri: str
    info: ClusterInfo
    clock_ahead: float


def discover(text: str, *, verify: bool | str = True, timeout: float = 10.0) -> Found:
    """Return the cluster at an address in any of its forms.

    With or without ``http://`` or ``https://``, ``/rest-server``, ``/api/v2``, a port, a path of
    the web portal. A cluster that speaks https is found under http, too; one that speaks http only
    is found where no scheme was written, and never after a certificate that cannot be trusted.

    Args:
        text: The address.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
        timeout: Seconds to wait for each part of an answer.

    Raises:
        ConfigError: The text is not an address.
        ConnectionFailed: Nothing answers there, or no PAI cluster.
        RateLimitError: The server limits the rate of requests.
    """
    given, found, rest = text.strip().partition("://")
    schemes, rest = ([given.lower()], rest) if found else (["https", "http"], given)
    error = ConnectionFailed("", "")
    for scheme in schemes:
        try:
            return _look(f"{scheme}://{rest}", verify, timeout)
        except ConnectionFailed as failure:
            if failure.untrusted:
                raise
            error = failure
    elsewhere = _elsewhere(schemes, rest, verify)
    if elsewhere is None:
        raise error
    if schemes == ["http"] and urlsplit(elsewhere.uri).netloc == urlsplit(f"//{rest}").netloc:
        return elsewhere
    error.hint = f"A PAI cluster answers at {elsewhere.uri}: is that it?"
    raise error


def _elsewhere(schemes: list[str], rest: str, verify: bool | str) -> Found | None:
    """Try the other scheme, and the usual ports of the host.

    Raises:
        ConnectionFailed: The certificate of a server there is not trusted.
    """
    host = urlsplit(f"//{rest}")
    name = f"[{host.hostname}]" if ":" in (host.hostname or "") else host.hostname
    places = [f"{scheme}://{rest}" for scheme in ("https", "http") if scheme not in schemes]
    if host.port is not None:
        places += [f"https://{name}", f"http://{name}"]
    for place in places:
        try:
            return _look(place, verify, _SHORT_TIMEOUT)
        except ConnectionFailed as error:
            if error.untrusted and place == f"https://{rest}":
                raise
        except ApiError:
            continue
    return None


def _look(uri: str, verify: bool | str, timeout: float) -> Found:
    """Return the cluster on one server.

    Raises:
        ConnectionFailed: The server does not answer, or is not a PAI server.
    """
    tried = []
    for address in _addresses(uri):
        try:
            with Session(address.uri, verify=verify, timeout=timeout) as session:
                info = get_info(session)
                if _is_pai(info.raw):
                    return Found(session.uri, info, session.clock_ahead)
        except RateLimitError:
            raise
        except ApiError as error:
            if error.status in (502, 503, 504):
                raise _no_cluster(
                    f"{address.server} answered {error.status}: what stands behind it is down.",
                    "Try again later, or ask the cluster's admin.",
                ) from None
        tried.append(address.url("/info")[len(Address.parse(uri).server) :])
    raise _no_cluster(
        f"{Address.parse(uri).server} answers, but is not a PAI cluster (asked for {tried[0]}).",
        "Give the address of PAI's web portal, or of its rest-server.",
    )


def _no_cluster(message: str, hint: str) -> ConnectionFailed:
    return ConnectionFailed(message, hint, transient=False, sent=False)


def _is_pai(raw: Any) -> bool:
    return isinstance(raw, Mapping) and any(key in raw for key in _KEYS)


def _addresses(uri: str) -> Iterator[Address]:
    """Yield where the API may be: behind pylon and without it, in the path's folders upwards."""
    server = Address.parse(uri).server
    path = urlsplit(uri).path
    before, pylon, _ = path.partition("/rest-server")
    if pylon:
        yield Address(server + before, "/rest-server")
        return
    before, api, _ = path.partition("/api/v")
    parts = [part for part in before.split("/") if part]
    if parts and "." in parts[-1]:  # a page of the web portal, such as /job-list.html
        parts.pop()
    folders = ["".join(f"/{part}" for part in parts[:n]) for n in range(len(parts), -1, -1)]
    kinds = ("", "/rest-server") if api else ("/rest-server", "")
    for prefix in kinds:
        for folder in folders[-_MAX_FOLDERS:]:
            yield Address(server + folder, prefix)
