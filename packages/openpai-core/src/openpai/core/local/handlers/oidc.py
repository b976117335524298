"""Signing in by OIDC, with an identity provider that is part of the local cluster.

The cluster's half is the real server's (rest-server/src/routes/authn.js and
controllers/v2/azureAD.js); the provider's half is two pages. Everybody's password there is the one
in the state folder; what groups somebody is in there is an option of the cluster.
"""

from __future__ import annotations

import html
import json
import secrets
from typing import TYPE_CHECKING, Any, Mapping
from urllib.parse import urlencode, urlsplit

from werkzeug.wrappers import Response

from openpai.core.local.accounts import hash_password
from openpai.core.local.records import Group, User
from openpai.core.local.wire import Refusal, text_answer

if TYPE_CHECKING:
    from openpai.core.local.app import Call
    from openpai.core.local.service import Service

__all__ = ["authorize", "end_session", "login", "logout", "returned", "signed_in"]

_PROVIDER = "/identity-provider"
_RETURN = "/api/v1/authn/oidc/return"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Milliseconds in which a code may be swapped for a user.
_CODE_LIFE = 60_000

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<style>:root {{ color-scheme: light dark }}
body {{ font: 16px sans-serif; margin: 4em auto; max-width: 24em }}
form {{ display: grid; gap: .5em }} input, button {{ font: inherit }}</style>
<h1>Identity provider</h1><p>of the local cluster, in the place of a company's</p>
<p role="alert">{message}</p>{form}</html>
"""


def login(call: Call) -> Response:
    """``GET /authn/oidc/login``: send the browser to the provider.

    The real server lets it come back anywhere; here it is on this machine.
    """
    back = call.request.args.get("redirect_uri") or "/"
    if urlsplit(back).hostname not in (None, *_LOOPBACK) or back.startswith("//"):
        raise Refusal(
            400,
            "InvalidParametersError",
            f"A local cluster sends tokens to this machine only, not to {back}.",
        )
    state = json.dumps({"redirect": back, "from": call.request.args.get("from", "")})
    query = {"response_type": "code", "response_mode": "form_post", "state": state}
    return _redirect(f"{_PROVIDER}/authorize?{urlencode(query)}")


def logout(_: Call) -> Response:
    """``GET /authn/oidc/logout``: send the browser to the provider; PAI's token stays good."""
    return _redirect(f"{_PROVIDER}/logout")


def authorize(call: Call) -> Response:
    """Show the provider's page to sign in."""
    return _sign_in_page(call.request.args.get("state", ""))


def signed_in(call: Call) -> Response:
    """Check a sign-in, and let the browser bring a code to the cluster (``form_post``)."""
    form = call.body if isinstance(call.body, dict) else {}
    name, state = str(form.get("user", "")), str(form.get("state", ""))
    service = call.service
    known = name in service.directory or service.store.one(User, "name = ?", (name,)) is not None
    if not known or not secrets.compare_digest(
        str(form.get("password", "")).encode(), service.folder.secret("password").encode()
    ):
        return _sign_in_page(state, "User or password is wrong.")
    code = secrets.token_urlsafe(24)
    service.sign_ins[code] = (name, service.clock.now() + _CODE_LIFE)
    fields = {"code": code, "state": state}
    return _page(_form(_RETURN, fields, "Go on") + "<script>document.forms[0].submit()</script>")


def returned(call: Call) -> Response:
    """``POST /authn/oidc/return``: swap the code for a user and send the browser back."""
    form = call.body if isinstance(call.body, dict) else {}
    state = _state(str(form.get("state", "")))
    name, ends = call.service.sign_ins.pop(str(form.get("code", "")), ("", 0))
    try:
        if ends <= call.service.clock.now():
            raise Refusal(401, "UnauthorizedUserError", "The sign-in is over or was used before.")
        user = _admitted(call.service, name)
    except Refusal as refusal:
        if call.request.path.startswith("/api/v2"):
            raise
        target = state["redirect"] if refusal.status == 403 else "/"
        return _redirect(f"{target}?{urlencode({'errorMessage': refusal.message})}")
    query = {
        "user": user.name,
        "token": call.service.tokens.issue(user.name),
        "admin": str(call.service.rights(user).admin).lower(),
        "hasGitHubPAT": user.extension.get("githubPAT", ""),
        "from": state["from"],
    }
    return _redirect(f"{state['redirect']}?{urlencode(query)}")


def end_session(_: Call) -> Response:
    """Show that one is signed out at the provider."""
    return _page("", "You are signed out.")


def _admitted(service: Service, name: str) -> User:
    """Return a user as the provider knows him now; one who comes for the first time is made.

    Raises:
        Refusal: None of his groups may use the cluster.
    """
    user = service.store.one(User, "name = ?", (name,))
    groups = service.directory.get(name)
    if groups is None and user is not None:
        return user
    known = [one for one in groups or () if service.store.one(Group, "name = ?", (one,))]
    if not known:
        raise Refusal(403, "ForbiddenUserError", f"User {name} is not in any group of the cluster.")
    if user is None:
        user = User(name, hash_password(secrets.token_urlsafe(18)))
    user.groups = known
    service.store.save(user)
    return user


def _state(text: str) -> Mapping[str, str]:
    try:
        state: Any = json.loads(text)
        back = str(state["redirect"])
        opaque = str(state["from"])
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "InvalidParametersError", "This is no answer to a sign-in.") from None
    if urlsplit(back).hostname not in (None, *_LOOPBACK) or back.startswith("//"):
        raise Refusal(400, "InvalidParametersError", f"Tokens do not go to {back}.")
    return {"redirect": back, "from": opaque}


def _sign_in_page(state: str, message: str = "") -> Response:
    fields = '<input name="user" placeholder="user" autocomplete="username" required>'
    fields += '<input name="password" type="password" placeholder="password" required>'
    return _page(_form(f"{_PROVIDER}/authorize", {"state": state}, "Sign in", fields), message)


def _form(action: str, hidden: Mapping[str, str], word: str, more: str = "") -> str:
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in hidden.items()
    )
    return f'<form method="post" action="{action}">{inputs}{more}<button>{word}</button></form>'


def _page(form: str, message: str = "") -> Response:
    response = text_answer(
        _PAGE.format(form=form, message=message), content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _redirect(location: str) -> Response:
    response = Response(status=302)
    response.headers["Location"] = location
    response.headers["Cache-Control"] = "no-store"
    return response
