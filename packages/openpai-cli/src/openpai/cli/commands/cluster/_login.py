"""Get a token for a cluster: from where the user keeps a secret, never by echoing one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework import CliApp

if TYPE_CHECKING:
    from openpai.core.client import Cluster
    from openpai.core.config import ClusterEntry
    from openpai.core.rest import ClusterInfo

__all__ = ["Secret", "find_secret", "log_in", "open_entry", "secret_options"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Secret:
    """Credentials of the user.

    Attributes:
        password: A password, or ``""``.
        token: A token, or ``""``.
        sso: Whether the user signs in with a browser instead.
    """

    password: str = ""
    token: str = ""
    sso: bool = False

    def __repr__(self) -> str:
        return "<Secret>"


def secret_options(function: F) -> F:
    """The options that say where a password or token comes from."""
    for option in (
        click.option(
            "--token",
            "--authen-token",
            hidden=True,
            help="Token (visible to other users of this machine).",
        ),
        click.option(
            "--password", hidden=True, help="Password (visible to other users of this machine)."
        ),
        click.option("--sso", is_flag=True, help="Sign in with a browser (OIDC)."),
        click.option("--token-stdin", is_flag=True, help="Read the token from stdin."),
        click.option("--password-stdin", is_flag=True, help="Read the password from stdin."),
    ):
        function = option(function)
    return function


def find_secret(
    app: CliApp,
    who: str,
    info: ClusterInfo | None = None,
    *,
    password: str | None,
    token: str | None,
    sso: bool,
    **stdin: bool,
) -> Secret:
    """Find a password or token: options, then the environment, then a prompt.

    Args:
        app: The running ``opai``.
        who: ``USER at URI``, for the prompt.
        info: What the cluster says of itself; where users sign in with a browser, nobody is asked
            for a password.
        password: The old option's value; it works, and a note says why to avoid it.
        token: The same for a token.
        sso: Whether the user signs in with a browser.
        **stdin: ``password_stdin`` and ``token_stdin``.

    Raises:
        UsageError: Nothing was given and nobody can be asked.
    """
    if sso:
        return Secret(sso=True)
    if stdin["token_stdin"] or stdin["password_stdin"]:
        text = sys.stdin.readline().rstrip("\r\n")
        if not text.strip():
            raise UsageError("stdin is empty.", "Pipe the password or token in.")
        return Secret(token=text.strip()) if stdin["token_stdin"] else Secret(password=text)
    if token or password:
        app.note("opai: other users of this machine can read secrets in command lines;")
        app.note("      --password-stdin, --token-stdin or a prompt keep them private.")
        return Secret(token=token or "", password=password or "")
    if os.environ.get("OPENPAI_TOKEN"):
        return Secret(token=os.environ["OPENPAI_TOKEN"])
    if not app.console.is_interactive:
        raise UsageError(
            "A password or token is needed, but there is no terminal to ask for it.",
            "Use --password-stdin or --token-stdin, or set OPENPAI_TOKEN.",
        )
    if info is not None and info.authn_method == "OIDC":
        return Secret(sso=True)
    text = click.prompt(f"Password for {who}", hide_input=True, err=True)
    return Secret(password=text)


def log_in(entry: ClusterEntry, secret: Secret) -> ClusterEntry:
    """Prove to the server who the user is, and return the entry with its token and user.

    Raises:
        UsageError: There is a password, and no user's name.
        AuthenticationError: The password or token is not good.
        ApiError: What answers is not a PAI cluster, or it refuses.
        ConnectionFailed: No answer came.
    """
    from dataclasses import replace

    from openpai.core.errors import AuthenticationError
    from openpai.core.rest import check_token

    if secret.password and not entry.user:
        raise UsageError("A password needs a user name.", "Add --user NAME.")
    with open_entry(replace(entry, token=secret.token)) as cluster:
        info = cluster.info()
        if secret.sso:
            cluster.use_token(_sign_in(cluster))
        elif not secret.token:
            cluster.login(secret.password)
        token = cluster.session.token
        try:
            user = check_token(cluster.session).username
        except AuthenticationError as error:
            if secret.token:
                error.hint = "Is the token complete, issued by this cluster, and not expired?"
            raise
    settings = {**entry.settings, "info": dict(info.raw)}
    return replace(entry, uri=cluster.uri, user=user, token=token, password="", settings=settings)


def open_entry(entry: ClusterEntry) -> Cluster:
    """Open a cluster as an entry has it, whether that is stored or not."""
    from openpai.core.client import Cluster

    return Cluster(
        entry.uri,
        user=entry.user,
        token=entry.token,
        alias=entry.alias,
        verify=entry.settings.get("verify", True),
        mounts=entry.mounts,
        attached=entry.attached,
    )


def _sign_in(cluster: Cluster) -> str:
    """Return the token of a sign-in with a browser, on this machine or on another one.

    Raises:
        AuthenticationError: The cluster refused.
        WaitTimeout: Nobody signed in.
    """
    import webbrowser

    from openpai.core.client import BrowserLogin

    with BrowserLogin(cluster.session) as login:
        click.echo(f"Sign in here: {login.url}", err=True)
        if webbrowser.open(login.url):
            return login.wait().token
        click.echo("No browser found: open the address on another machine.", err=True)
        ended = click.prompt("Paste the address that the browser shows after signing in", err=True)
        return login.accept(ended).token
