"""Say why no answer came: one table from the exceptions of ``requests`` to clear sentences."""

from __future__ import annotations

from typing import NamedTuple

from openpai.core.errors import ConnectionFailed

__all__ = [
    "connection_failed",
]


class _Cause(NamedTuple):
    kind: str  # class of requests.exceptions
    words: tuple[str, ...]  # one of them stands in the exception's text; none: any text
    reason: str
    hint: str
    transient: bool
    sent: bool
    untrusted: bool = False


_ADDRESS = "Write it as http://HOST or https://HOST, with :PORT where needed."

# The first row that fits wins: subclasses stand before their bases.
_CAUSES = (
    _Cause(
        "SSLError",
        ("WRONG_VERSION_NUMBER", "record layer failure", "UNEXPECTED_MESSAGE"),
        "the server does not speak https on this port",
        "Use http://, or the port that speaks https.",
        transient=False,
        sent=False,
    ),
    _Cause(
        "SSLError",
        ("certificate has expired",),
        "the server's certificate has expired",
        "Ask the cluster's admin to renew it, and check this machine's clock.",
        transient=False,
        sent=False,
        untrusted=True,
    ),
    _Cause(
        "SSLError",
        ("certificate is not yet valid",),
        "the server's certificate is not valid yet",
        "Is this machine's clock right?",
        transient=False,
        sent=False,
        untrusted=True,
    ),
    _Cause(
        "SSLError",
        ("NO_CERTIFICATE", "no certificate or crl found", "PEM lib"),
        "the CA file holds no certificate",
        "Name a file of PEM certificates.",
        transient=False,
        sent=False,
        untrusted=True,
    ),
    _Cause(
        "SSLError",
        ("CERTIFICATE_VERIFY_FAILED", "doesn't match"),
        "the server's certificate is not trusted",
        "Name the file of its CA: opai cluster add … --ca FILE, 'verify' in clusters.yaml, "
        "or $REQUESTS_CA_BUNDLE.",
        transient=False,
        sent=False,
        untrusted=True,
    ),
    _Cause(
        "SSLError",
        (),
        "the secure connection failed",
        "Does this port speak https?",
        transient=False,
        sent=False,
    ),
    _Cause(
        "ProxyError",
        (),
        "the proxy refused or cannot be reached",
        "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
        transient=True,
        sent=False,
    ),
    _Cause(
        "ConnectTimeout",
        (),
        "no connection in time",
        "Is the address right, and the cluster up?",
        transient=True,
        sent=False,
    ),
    _Cause(
        "Timeout", (), "no answer in time", "The cluster may be busy.", transient=True, sent=True
    ),
    _Cause("InvalidURL", (), "this is not an address", _ADDRESS, transient=False, sent=False),
    _Cause("MissingSchema", (), "this is not an address", _ADDRESS, transient=False, sent=False),
    _Cause("InvalidSchema", (), "this is not an address", _ADDRESS, transient=False, sent=False),
    _Cause(
        "TooManyRedirects",
        (),
        "it redirects in a circle",
        "Is the address right?",
        transient=False,
        sent=False,
    ),
    _Cause(
        "ConnectionError",
        (
            "NameResolutionError",
            "Name or service not known",
            "getaddrinfo",
            "nodename nor servname",
        ),
        "there is no such host",
        "Check the address.",
        transient=False,
        sent=False,
    ),
    _Cause(
        "ConnectionError",
        ("NewConnectionError", "Failed to establish", "Connection refused", "No route to host"),
        "the connection was refused",
        "Is the address right, and the cluster up?",
        transient=True,
        sent=False,
    ),
    _Cause(
        "ConnectionError",
        ("BadStatusLine",),
        "what answers does not speak http",
        "If it speaks https, write https://.",
        transient=False,
        sent=False,
    ),
    _Cause(
        "RequestException", (), "the connection was cut", "Try again.", transient=True, sent=True
    ),
)


def connection_failed(error: Exception, request: str) -> ConnectionFailed:
    """Return the error to raise for an exception of ``requests``.

    Args:
        error: A ``requests.RequestException``.
        request: Method and URL, for the message.
    """
    import requests

    text = str(error)
    for cause in _CAUSES:
        fits = isinstance(error, getattr(requests.exceptions, cause.kind))
        if fits and (not cause.words or any(word in text for word in cause.words)):
            hint = cause.hint
            if cause is _CAUSES[-1] and " http://" in request:
                hint += " If this port speaks https, write https://."
            return ConnectionFailed(
                f"{request}: {cause.reason}.",
                hint,
                transient=cause.transient,
                sent=cause.sent,
                untrusted=cause.untrusted,
            )
    raise error
