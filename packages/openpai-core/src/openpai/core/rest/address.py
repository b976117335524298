"""Address of a cluster: origin, prefix of the REST API, URL of a path.

Usually pylon, PAI's nginx, stands in front: the REST API is under ``/rest-server``, logs under
``/log-manager``. Where only rest-server itself can be reached, its address is written with
``/api/v2`` (``http://MASTER:9186/api/v2``).
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from openpai.core.environment import LOOPBACK_HOSTS
from openpai.core.errors import ConfigError, NotFoundError

__all__ = ["Address", "is_loopback", "masked", "segment", "shown"]

_PORTS = {"http": 80, "https": 443}
_LOG = re.compile(r"/log-manager/([^/]+)(/.*)")
# Revoked tokens stand in the path; log tokens and Azure's signatures in the query.
_TOKEN = re.compile(r"(/tokens?/|[?&](?:token|sig)=)(?!application\b|check\b)[^/?&]+")


def segment(text: str) -> str:
    """Quote one segment of a path; ``~`` is sent as it is (pylon forwards paths decoded).

    Raises:
        NotFoundError: Nothing can have this name: as part of a path it would mean something else.
    """
    if text in ("", ".", "..") or "/" in text:
        raise NotFoundError(f"A cluster cannot know anything by the name '{text}'.", status=404)
    return quote(text, safe="~")


def shown(url: str) -> str:
    """The URL without its query, for messages."""
    return masked(url.partition("?")[0])


def masked(url: str) -> str:
    """The URL or path as it may be shown: without tokens."""
    return _TOKEN.sub(r"\1***", url)


class Address(NamedTuple):
    """The address of a cluster.

    Attributes:
        origin: Scheme, host and port, and the folder that everything of PAI is under, if any.
        prefix: ``/rest-server`` behind pylon, else ``""``.
    """

    origin: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> Address:
        """Read what users write: with or without ``/rest-server``, with or without ``/api/v2``.

        Raises:
            ConfigError: The text is not an http or https address.
        """
        base = uri.strip().partition("#")[0].partition("?")[0].rstrip("/")
        _check(base)
        direct = base.endswith("/api/v2")
        base = base[: -len("/api/v2")] if direct else base
        behind_pylon = base.endswith("/rest-server")
        base = base[: -len("/rest-server")] if behind_pylon else base
        return cls(base, "/rest-server" if behind_pylon or not direct else "")

    @property
    def uri(self) -> str:
        """The shortest text that :meth:`parse` reads as this address."""
        return self.origin if self.prefix else f"{self.origin}/api/v2"

    @property
    def server(self) -> str:
        """Scheme, host and port alone."""
        parts = urlsplit(self.origin)
        return f"{parts.scheme}://{parts.netloc}"

    def url(self, path: str) -> str:
        """Return the URL of a path as this client or the server writes it.

        ``/jobs`` and the like are under ``/api/v2``; ``/api/…``, ``/rest-server/…`` and
        ``/log-manager/…`` are paths that the server hands out.
        """
        if path.startswith(("http://", "https://")):
            return path
        if path.startswith("/api/"):
            return f"{self.origin}{self.prefix}{path}"
        if path.startswith("/rest-server/"):
            return f"{self.origin}{self.prefix}{path[len('/rest-server') :]}"
        if path.startswith("/log-manager/"):
            return self._log_url(path)
        return f"{self.origin}{self.prefix}/api/v2{path}"

    def _log_url(self, path: str) -> str:
        """Pylon forwards to the node that the path names; without pylon the node is asked."""
        node = _LOG.fullmatch(path)
        if self.prefix or node is None:
            return self.origin + path
        return f"http://{node.group(1)}{node.group(2)}"

    def is_server(self, url: str) -> bool:
        """Whether the URL is on the cluster's own server (scheme, host and port are the same)."""
        return _place(url) == _place(self.origin)

    def upgraded(self, url: str) -> Address | None:
        """Return the address under https if the URL is on the same host and has https at last."""
        ours, theirs = urlsplit(self.origin), urlsplit(url)
        if (ours.scheme, theirs.scheme) != ("http", "https") or ours.hostname != theirs.hostname:
            return None
        return Address(f"https://{theirs.netloc}{ours.path}", self.prefix)


def _check(uri: str) -> None:
    """Reject invalid addresses, and those with a password, which every message would show."""
    try:
        parts = urlsplit(uri)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        usable = usable and not any(letter.isspace() for letter in parts.netloc)
    except ValueError:  # the port is not a number, or brackets do not match
        parts, usable = urlsplit(""), False
    if not usable:
        raise ConfigError(
            f"'{uri.rpartition('@')[2]}' is not an address of a cluster.",
            "Write it as http://HOST or https://HOST, with :PORT where needed.",
        )
    if "@" in parts.netloc:
        raise ConfigError(
            f"The address of {parts.hostname} holds a user name or password.",
            "Leave it out, and log in with: opai cluster login",
        )


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def is_loopback(url: str) -> bool:
    """Whether the URL is on this machine; no proxy can reach it there."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS
