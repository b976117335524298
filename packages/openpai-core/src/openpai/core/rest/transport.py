"""The connection pool of a session: TLS, proxies, threads, and no secret in anybody's log."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from openpai.core.__about__ import __version__
from openpai.core.errors import ConfigError
from openpai.core.rest.address import is_loopback, masked

if TYPE_CHECKING:
    import requests

__all__ = ["Bearer", "checked_verify", "open_pool", "read_whole"]

_log = logging.getLogger("openpai.core.rest")

_CONNECTIONS = 32


class Bearer:
    """The token as a requests ``auth``; given always, since else ``~/.netrc`` would be sent."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token into a request."""
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class _MaskTokens(logging.Filter):
    """urllib3 logs whole paths at DEBUG; those of logs and of revocations hold tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the tokens in a record's texts; every record passes."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                masked(arg) if isinstance(arg, str) and "/" in arg else arg for arg in record.args
            )
        return True


_mask_tokens = _MaskTokens()


def checked_verify(verify: bool | str) -> bool | str:
    """Return ``verify`` as requests wants it.

    Raises:
        ConfigError: It names a CA bundle that does not exist.
    """
    if isinstance(verify, bool):
        return verify
    path = Path(verify).expanduser()
    if not path.exists():
        raise ConfigError(f"There is no CA file {path}.", "Name a file of PEM certificates.")
    return str(path)


def open_pool(uri: str, verify: bool | str) -> requests.Session:
    """Return a requests session with keep-alive connections for many threads."""
    import requests
    from requests.adapters import HTTPAdapter

    logging.getLogger("urllib3.connectionpool").addFilter(_mask_tokens)
    http = requests.Session()
    http.headers["User-Agent"] = f"openpai-sdk/{__version__}"
    for scheme in ("http://", "https://"):
        http.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))
    http.trust_env = not is_loopback(uri)  # a proxy cannot reach this machine's loopback
    if verify is False:
        _trust_anything(uri)
    return http


def read_whole(response: requests.Response) -> None:
    """Read the body into ``response.content``; a connection that breaks is closed at once.

    Raises:
        RequestException: The answer was cut, in its body or within its headers.
    """
    import requests

    try:
        if not response.content and _ends_in_headers(response):
            raise requests.ConnectionError("the headers were cut short", response=response)
    except Exception:
        response.close()
        raise


def _ends_in_headers(response: requests.Response) -> bool:
    """Whether an answer without a body lacks the header that must announce that.

    http.client treats the end of a connection as the end of the headers, so an answer that is cut
    there looks like a complete, empty one.
    """
    headers = response.headers
    framed = (  # a value may be cut, too
        headers.get("Content-Length", "").isdigit()
        or headers.get("Transfer-Encoding", "").endswith("chunked")
        or "Connection" in headers
    )
    bodiless = response.request.method == "HEAD" or response.status_code in (204, 304)
    return not bodiless and not framed


def _trust_anything(uri: str) -> None:
    """Warn once per session, where urllib3 would warn at every call."""
    import warnings

    from urllib3.exceptions import InsecureRequestWarning

    _log.warning("%s: certificates are not checked, as the settings say", uri)
    warnings.filterwarnings("ignore", category=InsecureRequestWarning)
