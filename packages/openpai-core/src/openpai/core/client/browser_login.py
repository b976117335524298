"""Log in where users sign in at an identity provider (OIDC): with a browser, here or elsewhere.

The server sends the browser back to an address on this machine's loopback, with the token in its
query (rest-server/src/controllers/v2/azureAD.js). Without a browser here the user opens the address
elsewhere; the browser cannot come back then, and its last address is pasted instead.

::

    with BrowserLogin(cluster.session) as login:
        webbrowser.open(login.url)
        cluster.use_token(login.wait().token)
"""

from __future__ import annotations

import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from openpai.core.errors import AuthenticationError, WaitTimeout
from openpai.core.rest import Login, oidc_login_url

if TYPE_CHECKING:
    from openpai.core.rest import Session

__all__ = ["BrowserLogin"]

# The token is in the address: it is taken out of the browser's history at once.
_PAGE = """<!doctype html><meta charset="utf-8"><title>OpenPAI</title>
<script>history.replaceState(null, "", "/")</script>
<p style="font: 1.2em sans-serif; margin: 3em">{text} You can close this window.</p>
"""


class BrowserLogin:
    """One sign-in: an address for a browser, and a listener that waits for its return.

    The path that the browser comes back to is secret, so no other page can make this program take
    somebody else's token.

    Args:
        session: The cluster's session; nothing is sent by it.

    Attributes:
        url: The address to open.
    """

    def __init__(self, session: Session) -> None:
        self._state = secrets.token_urlsafe(24)
        self._done = threading.Event()
        self._result: Login | AuthenticationError | None = None
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        port = self._server.server_address[1]
        self.url = oidc_login_url(session, f"http://127.0.0.1:{port}/{self._state}", self._state)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> BrowserLogin:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, timeout: float = 300.0) -> Login:
        """Return the login once the browser has come back.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            WaitTimeout: Nobody signed in in time.
            AuthenticationError: The cluster refused.
        """
        deadline = time.monotonic() + timeout
        while not self._done.wait(0.2):  # short waits let Ctrl-C through on every system
            if time.monotonic() > deadline:
                raise WaitTimeout(
                    f"Nobody signed in within {timeout:g} s.", "Try again: opai cluster login"
                )
        return self._answer()

    def accept(self, address: str) -> Login:
        """Return the login from the address at which a browser elsewhere ended.

        Raises:
            AuthenticationError: The address is not the one of this sign-in, or reports a refusal.
        """
        if not self._take(address.strip()):
            raise AuthenticationError(
                "This address is not where the sign-in ended.",
                status=401,
                hint="Copy the whole address, which begins with http://127.0.0.1.",
            )
        return self._answer()

    def _answer(self) -> Login:
        assert self._result is not None
        if isinstance(self._result, AuthenticationError):
            raise self._result
        return self._result

    def _take(self, address: str) -> bool:
        """Read the address that the browser came back to; return whether it is ours."""
        parts = urlsplit(address)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        ours = secrets.compare_digest(parts.path.strip("/").encode(), self._state.encode())
        if not ours or query.get("from", self._state) != self._state:
            return False
        if query.get("token"):
            admin = query.get("admin") == "true"
            self._result = Login({**query, "admin": admin})
        elif query.get("errorMessage"):
            self._result = AuthenticationError(
                f"The cluster did not let you in: {query['errorMessage']}", status=403
            )
        else:
            return False
        self._done.set()
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        login = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = login._take(self.path)
                logged_in = found and isinstance(login._result, Login)
                text = "You are logged in." if logged_in else "The login failed."
                self.send_response(200 if found else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(_PAGE.format(text=text).encode())

            def log_message(self, *_: object) -> None:
                """Write nothing: the address holds the token."""

        return Handler
