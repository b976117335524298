"""One HTTP session to one PAI cluster: credentials, time-outs, retries, redirects.

All of the client's requests pass through :meth:`Session.request`; nothing else of the library
imports ``requests``.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Mapping
from urllib.parse import urljoin

from openpai.core.errors import ApiError, AuthenticationError, ConnectionFailed, RateLimitError
from openpai.core.rest import jwt, responses, transport
from openpai.core.rest.address import Address, segment, shown
from openpai.core.rest.connection_errors import connection_failed
from openpai.core.retry import delay

if TYPE_CHECKING:
    import requests

__all__ = ["Session", "segment"]

_log = logging.getLogger("openpai.core.rest")

_SAFE = ("GET", "HEAD", "OPTIONS")
_TRANSIENT = (502, 503, 504)
_ATTEMPTS = 4
_REDIRECTS = 5
# A window of the limit on all calls is a minute long; a longer wait is the caller's choice.
_RATE_WAIT = 65.0
_FRESH_SECONDS = 5.0
_RENEWAL_SECONDS = 600.0


class Session:
    """A keep-alive connection pool to one cluster. Threads may share it.

    Args:
        uri: The cluster's address, with or without ``/rest-server``; with ``/api/v2`` where
            rest-server is reached without pylon.
        token: Sent as ``Authorization: Bearer``.
        timeout: Seconds to wait for a transport, and for each part of an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.

    Attributes:
        log_in: Gets a new token; called when there is none, shortly before it expires and after
            a 401. ``None``: the token is not renewed.
        longest_rate_wait: Seconds that one call waits at most for the reset of a rate limit.
        answered: Whether the cluster has answered before, so that its address must be right.
        known: Whether it did so in another session, when it was added to the user's list.

    Raises:
        ConfigError: The address or the CA bundle is invalid.
    """

    def __init__(
        self, uri: str, *, token: str = "", timeout: float = 30.0, verify: bool | str = True
    ) -> None:
        self.address = Address.parse(uri)
        self.token = token
        self.timeout = timeout
        self.verify = transport.checked_verify(verify)
        self.log_in: Callable[[], str] | None = None
        self.longest_rate_wait = _RATE_WAIT
        self.answered = False
        self.known = False
        self._http: requests.Session | None = None
        self._fresh_until = 0.0
        self._date: tuple[str | None, float] = (None, 0.0)
        self._lock = threading.RLock()

    @property
    def uri(self) -> str:
        """The cluster's address, without ``/rest-server``."""
        return self.address.uri

    @property
    def clock_ahead(self) -> float:
        """Seconds by which the cluster's clock is ahead of this machine's; 0 if by very few."""
        return responses.clock_skew(*self._date)

    def renew(self, token: str) -> None:
        """Use a token that the server has just issued."""
        self.token = token
        self._fresh_until = time.monotonic() + _FRESH_SECONDS

    @property
    def http(self) -> requests.Session:
        """The requests session, made when first used."""
        if self._http is None:
            with self._lock:
                self._http = self._http or transport.open_pool(self.uri, self.verify)
        return self._http

    def get(self, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """GET ``/api/v2<path>`` and return the decoded JSON; see :meth:`json`.

        Raises:
            ApiError: The server refused, or did not answer with JSON of this kind.
            ConnectionFailed: No answer came.
        """
        return self.json("GET", path, params=params, **options)

    def send(self, method: str, path: str, body: Any = None, *, repeatable: bool = False) -> Any:
        """Send a JSON body to ``/api/v2<path>`` and return the decoded answer.

        Raises:
            ApiError: The server refused, or did not answer with JSON.
            ConnectionFailed: No answer came; what was sent may have taken effect.
        """
        return self.json(method, path, json=body, repeatable=repeatable)

    def json(
        self, method: str, path: str, *, kind: type = object, key: str = "", **options: Any
    ) -> Any:
        """Make a :meth:`request` and return its decoded JSON; a cut answer counts as none.

        Args:
            method: The HTTP method.
            path: As for :meth:`request`.
            kind: What the answer must be, such as ``dict`` or ``list``.
            key: Return what stands under this key of the answer; ``kind`` is of that, then.
            **options: As for :meth:`request`.

        Raises:
            ApiError: The server refused, or did not answer with JSON of this kind.
            ConnectionFailed: No answer came.
        """
        read = partial(responses.shaped, kind=kind, key=key)
        return self.request(method, path, read=read, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        authorized: bool = True,
        repeatable: bool = False,
        read: Callable[[requests.Response], Any] | None = None,
        **options: Any,
    ) -> Any:
        """Make one call and return the answer, whose status is below 400.

        Safe methods, and others if ``repeatable``, are repeated after cut connections, 502, 503 and
        504. A short rate limit is waited for, whatever the method: the server has done nothing.

        Args:
            method: The HTTP method.
            path: A path under ``/api/v2``, or one that the server handed out; see
                :meth:`Address.url`.
            headers: Further headers.
            authorized: Whether the token is sent.
            repeatable: Whether repeating the call has no further effect.
            read: Makes the result of the response; without it the response itself is returned.
            **options: Passed on to ``requests``: ``params``, ``json``, ``data``, ``timeout``.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        call = _Call(method, path, {"Accept": "application/json, */*", **(headers or {})}, options)
        call.authorized = authorized
        call.repeatable = repeatable or method in _SAFE
        if authorized and self.log_in is not None:
            self.ensure_token()
        while True:
            call.attempts += 1
            call.token = self.token
            try:
                response = self._follow(call)
                return response if read is None else read(response)
            except (ApiError, ConnectionFailed) as error:
                pause = self._pause(error, call)
                if pause is None:
                    raise
            time.sleep(pause)

    def _follow(self, call: _Call) -> requests.Response:
        """Make the call, going where redirects lead.

        Pylon answers 307 where https is on. A method, its body and the token are kept on the same
        host only; requests itself would turn a POST into a GET after 301 and 302.
        """
        url, options = self.address.url(call.path), dict(call.options)
        for _ in range(_REDIRECTS):
            response = self._once(call, url, options)
            if not response.is_redirect:
                if response.status_code >= 400:
                    raise responses.refusal(response)
                return response
            options.pop("params", None)  # the server has put them into the new address
            target = urljoin(url, response.headers["Location"])
            self._check_redirect(call, url, target, response.status_code)
            url = target
        raise ConnectionFailed(
            f"{call.method} {shown(url)}: it redirects in a circle.",
            "Is the address right?",
            transient=False,
            sent=False,
        )

    def _once(self, call: _Call, url: str, options: Mapping[str, Any]) -> requests.Response:
        import requests

        ours = self.address.is_server(url) and "/log-manager/" not in url
        limits = {"timeout": (min(self.timeout, 10.0), self.timeout), **options}
        try:
            response = self.http.request(
                call.method,
                url,
                headers=dict(call.headers),
                auth=transport.Bearer(call.token if call.authorized and ours else ""),
                allow_redirects=False,
                stream=True,
                verify=self.verify,
                **limits,
            )
            transport.read_whole(response)
        except requests.RequestException as error:
            _log.debug("%s %s: %s", call.method, shown(url), type(error).__name__)
            raise connection_failed(error, f"{call.method} {shown(url)}") from None
        _log.debug("%s %s: %d", call.method, shown(url), response.status_code)
        if ours:
            self.answered = True
            self._date = response.headers.get("Date"), time.time()
        return response

    def _check_redirect(self, call: _Call, before: str, url: str, status: int) -> None:
        """Learn a cluster's https address; let only safe calls leave the cluster's host.

        Raises:
            ConnectionFailed: What the call does, or its password, is not meant for that address.
        """
        upgraded = self.address.upgraded(url) if self.address.is_server(before) else None
        if upgraded:
            _log.info("%s redirects to %s, which is used from now on", self.uri, upgraded.uri)
            self.address = upgraded
        if call.method in _SAFE or (status != 303 and self.address.is_server(url)):
            return
        raise ConnectionFailed(
            f"{call.method} {shown(before)}: it redirects to {shown(url)}, where this is not sent.",
            "Is the address right?",
            transient=False,
            sent=False,
        )

    def _pause(self, error: ApiError | ConnectionFailed, call: _Call) -> float | None:
        """Return the seconds after which the call may be made again; ``None``: not at all."""
        if call.attempts >= _ATTEMPTS:
            return None
        usual = delay(call.attempts)
        if isinstance(error, AuthenticationError) and error.status == 401 and call.authorized:
            return self._pause_for_token(call, usual)
        if isinstance(error, RateLimitError) and error.reset is not None:
            pause = max(error.reset - time.time(), 0.0) + usual
            return pause if pause <= self.longest_rate_wait else None
        may_pass = (
            error.transient if isinstance(error, ConnectionFailed) else error.status in _TRANSIENT
        )
        in_time = time.monotonic() - call.started < self.timeout
        return usual if may_pass and in_time and call.repeatable else None

    def _pause_for_token(self, call: _Call, usual: float) -> float | None:
        if call.token != self.token:  # another thread has logged in meanwhile
            return 0.0
        hopeful = call.attempts < 3 or self.log_in is None
        if time.monotonic() < self._fresh_until and hopeful:
            # The server does not wait until a new token is stored, so it may refuse it at first.
            return 3 * usual
        return 0.0 if self._log_in_again(call.token) else None

    def ensure_token(self) -> None:
        """Log in if possible when there is no token, or one that expires within minutes.

        Raises:
            AuthenticationError: The password is wrong.
            ConnectionFailed: No answer came.
        """
        token = self.token
        life = jwt.lifetime(token)
        if token and (life is None or time.monotonic() < self._fresh_until):
            return  # it never ends, or the server has just made it
        issued, expires = life or (0.0, 0.0)
        now = time.time() + self.clock_ahead
        if now > expires - min(_RENEWAL_SECONDS, (expires - issued) / 10):
            self._log_in_again(token)

    def _log_in_again(self, old: str) -> bool:
        """Replace a token that is no longer valid; one thread does it for all.

        Raises:
            AuthenticationError: The password is no longer valid either.
            ConnectionFailed: No answer came.
        """
        with self._lock:
            if self.log_in is None:
                return False
            if self.token == old:
                self.renew(self.log_in())
            return True

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()


class _Call:
    """One call of :meth:`Session.request` and how often it was tried."""

    authorized = True
    repeatable = False
    token = ""
    attempts = 0

    def __init__(
        self, method: str, path: str, headers: Mapping[str, str], options: Mapping[str, Any]
    ) -> None:
        self.method = method
        self.path = path
        self.headers = headers
        self.options = options
        self.started = time.monotonic()
