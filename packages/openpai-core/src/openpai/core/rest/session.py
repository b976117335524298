"""One HTTP session to one PAI cluster: credentials, time-outs, retries, errors.

All of the client's requests pass through :meth:`Session.request`; nothing else of the library
imports ``requests``.
"""

from __future__ import annotations

import json
import logging
import random
import time
from typing import TYPE_CHECKING, Any, Mapping
from urllib.parse import quote, urljoin, urlsplit

from openpai.core.__about__ import __version__
from openpai.core.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    ServerError,
    api_error,
)
from openpai.core.rest.failures import NoAnswer, connection_failed

if TYPE_CHECKING:
    import requests

__all__ = ["Session", "segment"]

_log = logging.getLogger("openpai.core.rest")

_SAFE = ("GET", "HEAD", "OPTIONS")
_TRANSIENT = (502, 503, 504)
_ATTEMPTS = 4
# Only a short wait for the rate limit is kept inside one call; a longer one is the caller's choice.
_LONGEST_RATE_WAIT = 65.0
_FRESH_SECONDS = 5.0


def segment(text: str) -> str:
    """Quote one segment of a path; ``~`` is sent as it is (pylon forwards paths decoded)."""
    return quote(text, safe="~")


class Session:
    """A keep-alive connection pool to one cluster. Threads may share it.

    Args:
        uri: The cluster's address, with or without ``/rest-server``.
        token: Sent as ``Authorization: Bearer``.
        timeout: Seconds to wait for a connection, and for each part of an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
    """

    def __init__(
        self, uri: str, *, token: str = "", timeout: float = 30.0, verify: bool | str = True
    ) -> None:
        self.origin = uri.rstrip("/")
        if self.origin.endswith("/rest-server"):
            self.origin = self.origin[: -len("/rest-server")]
        self.token = token
        self.timeout = timeout
        self.verify = verify
        self._http: requests.Session | None = None
        self._fresh_until = 0.0

    def renew(self, token: str) -> None:
        """Go on with a token that the server has just handed out."""
        self.token = token
        self._fresh_until = time.monotonic() + _FRESH_SECONDS

    @property
    def http(self) -> requests.Session:
        """The requests session, made when first used."""
        if self._http is None:
            import requests

            http = requests.Session()
            http.headers["User-Agent"] = f"openpai-sdk/{__version__}"
            http.verify = self.verify
            if urlsplit(self.origin).hostname in ("127.0.0.1", "localhost", "::1"):
                http.trust_env = False  # a proxy cannot reach this machine's loopback
            self._http = http
        return self._http

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """GET ``/api/v2<path>`` and return the decoded JSON.

        Raises:
            ApiError: The server refused, or did not answer with JSON.
            ConnectionFailed: No answer came.
        """
        return _decoded(self.request("GET", path, params=params))

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a JSON body to ``/api/v2<path>`` and return the decoded answer.

        Raises:
            ApiError: The server refused, or did not answer with JSON.
            ConnectionFailed: No answer came; what was sent may have taken effect.
        """
        return _decoded(self.request(method, path, json=body))

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        authorized: bool = True,
        **options: Any,
    ) -> requests.Response:
        """Make one call and return the answer, whose status is below 400.

        Safe methods are repeated after cut connections, 502, 503, 504 and a short rate limit.

        Args:
            method: The HTTP method.
            path: ``/…`` under ``/rest-server/api/v2``, or an absolute URL or ``//``-less path that
                begins with ``/log-manager`` or ``/rest-server`` (as the server hands them out).
            headers: Further headers.
            authorized: Whether the token is sent.
            **options: Passed on to ``requests``: ``params``, ``json``, ``data``, ``stream``.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        url = self.url(path)
        sent = {"Accept": "application/json, */*", **(headers or {})}
        options.setdefault("timeout", (min(self.timeout, 10.0), self.timeout))
        options["auth"] = _Bearer(self.token if authorized and self._is_ours(url) else "")
        for attempt in range(1, _ATTEMPTS):
            try:
                return self._once(method, url, sent, options)
            except (ApiError, NoAnswer) as error:
                pause = self._pause(error, method, attempt)
                if pause is None:
                    raise
            time.sleep(pause)
        return self._once(method, url, sent, options)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], options: Any
    ) -> requests.Response:
        import requests

        request = f"{method} {_shown(url)}"
        try:
            response = self.http.request(method, url, headers=dict(headers), **options)
        except requests.RequestException as error:
            _log.debug("%s: %s", request, type(error).__name__)
            raise connection_failed(error, request) from None
        _log.debug("%s: %d", request, response.status_code)
        if response.status_code >= 400:
            raise _refusal(response, request)
        return response

    def _pause(self, error: ApiError | NoAnswer, method: str, attempt: int) -> float | None:
        """Return the seconds after which the call may be made again; ``None``: not at all."""
        usual = random.uniform(0.5, 1.0) * 0.2 * 2**attempt  # noqa: S311 - jitter, not a secret
        if isinstance(error, AuthenticationError):
            # The server does not wait until a new token is stored, so it may refuse it at first.
            return usual if time.monotonic() < self._fresh_until else None
        if method not in _SAFE:
            return None
        if isinstance(error, NoAnswer):
            return usual if error.transient else None
        if isinstance(error, RateLimitError) and error.reset is not None:
            pause = max(error.reset - time.time(), 0.0) + usual
            return pause if pause <= _LONGEST_RATE_WAIT else None
        return usual if error.status in _TRANSIENT else None

    def url(self, path: str) -> str:
        """Return the absolute URL of a path that the server or this client names."""
        if path.startswith(("/log-manager/", "/rest-server/")) or "://" in path:
            return urljoin(self.origin + "/", path)
        return f"{self.origin}/rest-server/api/v2{path}"

    def _is_ours(self, url: str) -> bool:
        """Whether the token may be sent there: the same scheme, host and port, not a log URL."""
        ours, theirs = urlsplit(self.origin), urlsplit(url)
        same = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
        return same and not theirs.path.startswith("/log-manager/")

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None


class _Bearer:
    """The token as a requests ``auth``; given always, since else ``~/.netrc`` would be sent."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _shown(url: str) -> str:
    """The URL without its query, which may hold a log token."""
    return url.partition("?")[0]


def _decoded(response: requests.Response) -> Any:
    """Return the JSON of an answer; an answer that is none did not come from a PAI server."""
    try:
        return response.json()
    except ValueError:
        kind = response.headers.get("Content-Type", "no content type").partition(";")[0]
        raise ServerError(
            f"{_shown(response.url)} answered with {kind} where JSON was expected.",
            status=response.status_code,
            request=f"{response.request.method} {_shown(response.url)}",
            hint="Is this the address of a PAI cluster? A proxy or a web page may stand in front.",
        ) from None


def _refusal(response: requests.Response, request: str) -> ApiError:
    """Make the error for an answer of 400 and above; bodies may be JSON, HTML, text or nothing."""
    try:
        body = response.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    code = str(body.get("code") or "")
    message = _message(body.get("message"), response)
    error = api_error(response.status_code, code)(
        message, status=response.status_code, code=code, request=request, hint=_hint(response)
    )
    if isinstance(error, RateLimitError):
        reset = response.headers.get("X-RateLimit-Reset", "")
        error.reset = float(reset) if reset.isdigit() else None
    return error


def _message(message: Any, response: requests.Response) -> str:
    """One sentence: the server's own where it sent one, else what the status means."""
    if not isinstance(message, str) or not message.strip():
        return f"The server answered {response.status_code} {response.reason or ''}".rstrip() + "."
    try:  # schema failures come as a JSON array inside the text (rest-server: ajv's errors)
        found = json.loads(message)
    except ValueError:
        return message.strip()
    if not isinstance(found, list):
        return message.strip()
    parts = [
        f"{e.get('dataPath') or 'the job'} {e.get('message')}" for e in found if isinstance(e, dict)
    ]
    return "The server refused the job: " + "; ".join(dict.fromkeys(parts)) + "."


def _hint(response: requests.Response) -> str:
    return {
        401: "Log in again: opai cluster login",
        413: "The server takes at most 100 KiB; move data out of the job's text.",
        429: "The server limits how often it may be asked; try again later.",
    }.get(response.status_code, "")
