"""Authentication for WebHDFS: user name, delegation token or Kerberos ticket.

A ticket is shown once to each server, which then knows the client by a cookie. pyspnego speaks
GSSAPI, and SSPI on Windows; the requests-kerberos of the library ``hdfs`` stands on it, too, but
needs requests, whose cost for each call is why this client is not built on that library.
"""

from __future__ import annotations

import base64
import threading
from typing import Any, Mapping
from urllib.parse import urlsplit

from openpai.core.errors import StorageError
from openpai.storage.hdfs.http import ConnectionPool, Response

__all__ = ["Auth", "KerberosAuth"]

_COOKIE = "hadoop.auth"


class Auth:
    """Parameters in the address: ``user.name``, where HDFS trusts its clients, or ``delegation``.

    Attributes:
        query: The parameters of every request.
    """

    def __init__(self, query: Mapping[str, str] | None = None) -> None:
        self.query = dict(query or {})

    def send(self, pool: ConnectionPool, method: str, url: str, *, again: bool) -> Response:
        """Send a request; see :meth:`~openpai.storage.hdfs.http.ConnectionPool.send`."""
        return pool.send(method, url, again=again)

    def headers(self, url: str) -> dict[str, str]:  # noqa: ARG002 - for those with a ticket
        """Return what a request with a body needs, for a server that already knows the client."""
        return {}


class KerberosAuth(Auth):
    """A Kerberos ticket, as ``kinit`` or a keytab gives it.

    Args:
        host: The name of the server in its principal ``HTTP/HOST``, where it is not the one in
            the address.
    """

    def __init__(self, host: str = "") -> None:
        super().__init__()
        self._host = host
        self._cookies: dict[str, str] = {}
        self._lock = threading.Lock()

    def send(self, pool: ConnectionPool, method: str, url: str, *, again: bool) -> Response:
        """Send a request with the server's cookie, or a ticket where that is none or too old.

        Raises:
            StorageError: There is no ticket, or the server cannot prove who it is.
        """
        if known := self.headers(url):
            answer = pool.send(method, url, known, again=again)
            if answer.status != 401:
                return answer
            with answer:
                answer.read()
        with self._lock:
            before = known.get("Cookie")
            now = self.headers(url).get("Cookie")
            if now == before:
                return self._negotiate(pool, method, url, again)
        return pool.send(method, url, self.headers(url), again=again)

    def headers(self, url: str) -> dict[str, str]:
        """Return the cookie, for the server that gave it."""
        cookie = self._cookies.get(urlsplit(url).netloc)
        return {"Cookie": f"{_COOKIE}={cookie}"} if cookie else {}

    def _negotiate(self, pool: ConnectionPool, method: str, url: str, again: bool) -> Response:
        host = self._host or urlsplit(url).hostname or ""
        try:
            ticket = _context(host)
            shown = base64.b64encode(ticket.step() or b"").decode()
        except _kerberos_errors() as error:
            raise _missing_ticket_error(host, error) from None
        answer = pool.send(method, url, {"Authorization": f"Negotiate {shown}"}, again=again)
        if answer.status >= 400:
            return answer  # an error, which is not authenticated
        try:
            ticket.step(_negotiate_token(answer))
        except _kerberos_errors() as error:
            answer.close()
            raise StorageError(
                f"HDFS at {urlsplit(url).netloc} does not prove that it is HTTP/{host}: {error}."
            ) from None
        for line in answer.headers("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name.strip() == _COOKIE and value:
                self._cookies[urlsplit(url).netloc] = value.strip()
        return answer


def _context(host: str) -> Any:
    try:
        import spnego
    except ImportError:
        raise StorageError(
            "Kerberos needs a package that is not installed.",
            "Run: pip install 'openpai-storage[kerberos]'",
        ) from None
    return spnego.client(hostname=host, service="HTTP", protocol="kerberos")


def _kerberos_errors() -> tuple[type[Exception], ...]:
    import spnego.exceptions

    return (spnego.exceptions.SpnegoError, ImportError)


def _missing_ticket_error(host: str, error: Exception) -> StorageError:
    reason = str(getattr(error, "base_error", None) or error).strip().rstrip(".")
    return StorageError(
        f"Kerberos gives no ticket for HTTP/{host}: {reason}.",
        "Run: kinit; where the server has another name for Kerberos, give that as 'kerberos'.",
    )


def _negotiate_token(answer: Response) -> bytes:
    for line in answer.headers("WWW-Authenticate"):
        kind, _, value = line.strip().partition(" ")
        if kind.lower() == "negotiate" and value:
            return base64.b64decode(value)
    return b""
