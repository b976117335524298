"""The WebHDFS protocol, as name nodes, data nodes and HttpFS gateways speak it.

This does not use the library ``hdfs``: that one costs a millisecond or more for each call,
cannot rename over an existing file, reads a file named ``#LATEST`` as another one, and follows a
redirect to a data node's internal name. Only its way to Kerberos is taken over (see
:mod:`~openpai.storage.hdfs.auth`).

Reading and writing are redirected by the name node to a data node; the address in the redirect can
be replaced, for clusters whose data nodes have internal names. Of several name nodes the active one
is found, and found again after a failover. What changes something is sent once.
"""

from __future__ import annotations

import errno
import json
import time
from functools import partial
from typing import Any, BinaryIO, Callable, Mapping, NamedTuple, Sequence, TypeVar
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from openpai.core.errors import ConnectionFailed, StorageError
from openpai.storage.hdfs.auth import Auth
from openpai.storage.hdfs.errors import StandbyError
from openpai.storage.hdfs.http import ConnectionPool, NoResponseError, Response
from openpai.storage.hdfs.streams import Upload, open_reader

__all__ = ["WebHdfs"]

T = TypeVar("T")

#: Seconds to wait before the name nodes are asked again, when none of several is active: a
#: failover takes its time.
PAUSES = (0.2, 0.5, 1, 2, 4, 8, 15)

#: Bytes of a file that is read in one piece.
SMALL = 1 << 20

#: What may be sent again when it is not known whether it was done.
_HARMLESS = frozenset({"CREATE", "APPEND", "MKDIRS", "SETPERMISSION", "SETTIMES"})


class _Place(NamedTuple):
    """Target of a redirect.

    Attributes:
        url: The address to use.
        node: The data node as the name node knows it, ``HOST:PORT``.
    """

    url: str
    node: str


class WebHdfs:
    """A client of one HDFS or HttpFS gateway. Threads may share it.

    Args:
        uris: ``http://HOST:PORT`` or ``https://HOST:PORT`` of each name node, or of the gateway.
        login: Who asks.
        timeout: Seconds to wait for each step of an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
        datanodes: Address in a redirect (``HOST:PORT``, ``HOST``, or ``*`` for any) → the address
            to use, ``HOST:PORT`` or ``HOST``.

    Attributes:
        uris: As given.
        is_gateway: Whether the last :meth:`create` was answered by an HttpFS gateway, which moves
            a file that is renamed to the name of a folder into that folder.
    """

    def __init__(
        self,
        uris: Sequence[str],
        login: Auth | None = None,
        *,
        timeout: float = 60.0,
        verify: bool | str = True,
        datanodes: Mapping[str, str] | None = None,
    ) -> None:
        self.uris = [uri.rstrip("/") for uri in uris]
        self._active = 0
        self._login = login or Auth()
        self._pool = ConnectionPool(timeout, verify)
        self._tells_sizes = True
        self.is_gateway = False
        self._datanodes = dict(datanodes or {})

    def ask(self, method: str, path: str, op: str, **params: Any) -> Any:
        """Send a request that the name node answers itself; return the JSON of its answer.

        Raises:
            OSError: HDFS refuses, for a reason that files have.
            StorageError: HDFS refuses for another reason.
            ConnectionFailed: No answer came, or HDFS says that it cannot answer now.
        """
        with self._ask(method, path, op, params) as answer:
            content = answer.read()
        return self._parsed(content)

    def _parsed(self, content: bytes) -> Any:
        try:
            return json.loads(content) if content else {}
        except ValueError:
            raise StorageError(f"{self.uris[0]} does not speak WebHDFS.") from None

    def request_data_node(self, method: str, path: str, op: str, **params: Any) -> Any:
        """Send a request that a data node answers; return the JSON of its answer.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`.
        """
        with self._follow(method, path, op, params, go=partial(self._send_on, method)) as answer:
            content = answer.read()
        try:
            return json.loads(content)
        except ValueError:  # its answers have no length, so a cut shows only here
            raise ConnectionFailed(
                f"A data node of {self.uris[0]} hung up in the middle of its answer.", "Try again."
            ) from None

    def open(
        self, path: str, offset: int, length: int, unchanged: Callable[[], bool] = lambda: False
    ) -> BinaryIO:
        """Open exactly ``length`` bytes of a file, which must be there, for reading.

        Args:
            path: The file.
            offset: The first byte.
            length: Bytes.
            unchanged: Whether the file is still the one that is meant. Where it is, reading goes
                on by itself after a cut.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`; reading raises the last,
                too, when the connection is cut and opening the file again does not help.
        """

        def open_at(position: int, left: int) -> Response:
            params = {"offset": position, "length": left}
            return self._follow("GET", path, "OPEN", params, go=partial(self._send_on, "GET"))

        return open_reader(open_at, offset, length, unchanged)

    def read_small(self, path: str) -> bytes | None:
        """Return a whole file; ``None`` if it is not small, or the server does not report its size.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`.
        """
        if not self._tells_sizes:
            return None
        with self._follow("GET", path, "OPEN", {}, go=partial(self._send_on, "GET")) as answer:
            size = answer.header("Content-Length")
            self._tells_sizes = bool(size)
            return answer.read() if size and int(size) <= SMALL else None

    def create(
        self, path: str, when_large: Callable[[], None] = lambda: None, **params: Any
    ) -> Upload:
        """Begin to write a new file.

        Args:
            path: The file.
            when_large: Called before anything is sent of a file that does not fit in one piece.
            params: Further parameters of the request.

        Raises:
            OSError, StorageError, ConnectionFailed: As for :meth:`ask`.
        """
        params = {"overwrite": "false", **params}
        place = self._datanode_url("PUT", path, "CREATE", params)
        if isinstance(place, Response):
            place.close()
            raise StorageError(f"{self.uris[0]} does not speak WebHDFS: it names no data node.")

        self.is_gateway = "data=true" in place.url

        def connect() -> tuple[Any, str, Mapping[str, str]]:
            return self._follow("PUT", path, "CREATE", params, go=self._connect, place=place)

        return Upload(self._pool, connect, when_large)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()

    def _ask(self, method: str, path: str, op: str, params: Mapping[str, Any]) -> Response:
        """Send a request to the active name node, which may have to be found first."""
        harmless = method == "GET" or op in _HARMLESS
        for pause in (*PAUSES, None):
            for left in reversed(range(len(self.uris))):
                active = self._active
                url = self._url(self.uris[active], path, op, params)
                try:
                    return self._login.send(self._pool, method, url, again=harmless).checked()
                except (StandbyError, NoResponseError) as error:
                    done = getattr(error, "sent", False) and not harmless
                    if done or len(self.uris) == 1 or not (left or pause):
                        raise
                    self._active = (active + 1) % len(self.uris)
            time.sleep(pause or 0)
        raise AssertionError("the last round raises or returns")

    def _datanode_url(
        self, method: str, path: str, op: str, params: Mapping[str, Any]
    ) -> Response | _Place:
        """Send a request; return where it is redirected to, or its answer if it is not."""
        answer = self._ask(method, path, op, params)
        if answer.status != 307:
            return answer
        with answer:
            answer.read()
            return self._rewritten(answer.header("Location"))

    def _follow(
        self,
        method: str,
        path: str,
        op: str,
        params: Mapping[str, Any],
        *,
        go: Callable[[_Place], T],
        place: Response | _Place | None = None,
    ) -> T:
        """Go where a request is redirected to; data nodes that are away are passed over."""
        away: dict[str, NoResponseError] = {}
        while True:
            try:
                place = place or self._datanode_url(method, path, op, params)
            except (OSError, StorageError):
                if away:  # and there is no other
                    raise next(iter(away.values())) from None
                raise
            if isinstance(place, Response):
                return place  # type: ignore[return-value]  # a gateway answers itself
            try:
                return go(place)
            except NoResponseError as error:
                if error.sent or place.node in away:
                    raise next(iter(away.values()), error) from None
                away[place.node] = error
            params = {**params, "excludedatanodes": ",".join(away)}
            place = None

    def _send_on(self, method: str, place: _Place) -> Response:
        headers = self._login.headers(place.url)
        name = place.node.rpartition(":")[0]
        return self._pool.send(method, place.url, headers, name=name).checked()

    def _connect(self, place: _Place) -> tuple[Any, str, Mapping[str, str]]:
        sock = self._pool.connect(place.url, place.node.rpartition(":")[0], kept=True)
        return sock, place.url, self._login.headers(place.url)

    def _url(self, uri: str, path: str, op: str, params: Mapping[str, Any]) -> str:
        try:
            name = quote(path, safe="/")
            query = urlencode({"op": op, **self._login.query, **params})
        except UnicodeEncodeError:
            raise OSError(errno.EINVAL, "HDFS has names in Unicode only") from None
        return f"{uri}/webhdfs/v1{name}?{query}"

    def _rewritten(self, location: str) -> _Place:
        parts = urlsplit(location)
        known = self._datanodes
        place = known.get(parts.netloc) or known.get(parts.hostname or "") or known.get("*")
        if place and ":" not in place and parts.port:
            place = f"{place}:{parts.port}"
        return _Place(urlunsplit(parts._replace(netloc=place or parts.netloc)), parts.netloc)
