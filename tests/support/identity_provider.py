"""A local cluster whose users sign in elsewhere (OIDC), and the identity provider they do it at.

The cluster's half answers as the real server (rest-server/src/routes/authn.js and
controllers/v2/azureAD.js); the provider's half is two pages, where everybody's password is that of
the cluster's first user.
"""

from __future__ import annotations

import html
import json
import secrets
from typing import Any, Callable, Iterable, Mapping, Sequence
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from openpai.core.local import LocalCluster
from openpai.core.local.state.accounts import hash_password
from openpai.core.local.state.models import User

__all__ = ["SignInCluster"]

App = Callable[..., Iterable[bytes]]

_AUTHORIZE = "/identity-provider/authorize"
_FIELDS = '<input name="user"><input name="password" type="password">'


class SignInCluster(LocalCluster):
    """A local cluster of the kind OIDC.

    Args:
        directory: The users that the provider knows, with their groups.
        options: Those of a local cluster.
    """

    def __init__(self, directory: Mapping[str, Sequence[str]], **options: Any) -> None:
        super().__init__(**options)
        self._directory = directory
        self._codes: dict[str, str] = {}

    def start(self) -> SignInCluster:
        """Start it, with the pages of the sign-in before its REST API."""
        super().start()
        self.host.server.app = self._around(self.host.server.app)
        return self

    def _around(self, inner: App) -> App:
        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            request = Request(environ)
            response = self._answer(request)
            if response is None and request.path.endswith("/api/v2/info"):
                response = Response.from_app(inner, environ)
                known = json.loads(response.get_data())
                response.set_data(json.dumps({**known, "authnMethod": "OIDC"}))
            return (response or inner)(environ, start_response)

        return application

    def _answer(self, request: Request) -> Response | None:
        path = request.path
        if path.endswith("/authn/info"):
            uri = "/api/v1/authn/oidc/login"
            about = {"authn_type": "OIDC", "loginURI": uri, "loginURIMethod": "get"}
            return Response(json.dumps(about), content_type="application/json")
        if path.endswith("/authn/oidc/login"):
            state = {"redirect": request.args.get("redirect_uri", "/"), "from": ""}
            return _redirect(_AUTHORIZE, state=json.dumps(state))
        if path == _AUTHORIZE:
            return self._sign_in(request)
        if path.endswith("/authn/oidc/return"):
            return self._return(request)
        return None

    def _sign_in(self, request: Request) -> Response:
        state, user = request.values["state"], request.form.get("user", "")
        if request.method == "GET":
            return _page(_AUTHORIZE, {"state": state}, _FIELDS)
        if user not in self._directory or request.form["password"] != self.password:
            return _page(_AUTHORIZE, {"state": state}, _FIELDS + "User or password is wrong.")
        code = secrets.token_urlsafe(24)
        self._codes[code] = user
        script = "<script>document.forms[0].submit()</script>"
        return _page("/api/v1/authn/oidc/return", {"code": code, "state": state}, script)

    def _return(self, request: Request) -> Response:
        """Swap a code for a token; a user who comes for the first time is made."""
        name = self._codes.pop(request.form["code"])
        state = json.loads(request.form["state"])
        groups = list(self._directory[name])
        if not groups:
            message = f"User {name} is not in any group of the cluster."
            return _redirect(state["redirect"], errorMessage=message)
        service = self.host.service
        user = service.store.one(User, "name = ?", (name,))
        user = user or User(name, hash_password(secrets.token_urlsafe(18)))
        user.groups = groups
        service.store.save(user)
        found = {
            "user": name,
            "token": service.tokens.issue(name),
            "admin": str(service.rights(user).admin).lower(),
            "hasGitHubPAT": "",
            "from": state["from"],
        }
        return _redirect(state["redirect"], **found)


def _redirect(address: str, **query: str) -> Response:
    return Response(status=302, headers={"Location": f"{address}?{urlencode(query)}"})


def _page(action: str, hidden: Mapping[str, str], more: str) -> Response:
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in hidden.items()
    )
    form = f'<form method="post" action="{action}">{inputs}<button>Sign in</button>{more}</form>'
    return Response(f"<!doctype html><title>Sign in</title>{form}", content_type="text/html")
