"""Passwords and errors, shared by the commands for users and groups."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from openpai.cli.exceptions import UsageError
from openpai.cli.framework.app import CliApp

if TYPE_CHECKING:
    from openpai.core.client import Cluster

__all__ = ["ONLY_ADMINS", "delete_each", "explained", "new_password", "typed_password"]

ONLY_ADMINS = "Only admins of the cluster may do this."


@contextmanager
def explained(cluster: Cluster, otherwise: str = ONLY_ADMINS) -> Iterator[None]:
    """Add to a refusal what the server does not say: it may be the kind of token, or of login.

    Args:
        cluster: The cluster that is asked.
        otherwise: The hint for a refusal that the token's kind does not explain.

    Raises:
        OpenPaiError: Whatever the block raises.
    """
    from openpai.core.errors import NotFoundError, PermissionDeniedError
    from openpai.core.rest import TokenClaims

    try:
        yield
    except PermissionDeniedError as error:
        if error.code == "RemoveAdminError":
            error.hint = "Remove the admin right first: opai user update NAME --no-admin"
        elif TokenClaims.from_token(cluster.session.token).application:
            error.hint = "An application token may not do this. Log in: opai cluster login"
        else:
            error.hint = error.hint or otherwise
        raise
    except NotFoundError as error:
        if error.code == "NoApiError":
            error.message = (
                "This cluster does not support this: its users come from a directory (OIDC)."
            )
        raise


def typed_password(app: CliApp, prompt: str, *, stdin: bool, twice: bool = False) -> str:
    """Return a password from one line of stdin, or from a prompt that does not show it.

    Raises:
        UsageError: Nothing came, or nobody can be asked.
    """
    if stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    elif app.console.is_interactive:
        text = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    else:
        raise UsageError(
            "A password is needed, but there is no terminal to ask for it.", "Use --password-stdin."
        )
    if not text:
        raise UsageError("stdin is empty.", "Pipe one password a line.")
    return text


def new_password(app: CliApp, name: str, *, stdin: bool) -> str:
    """Return a new password that the server takes.

    Raises:
        UsageError: It is too short, or there is none.
    """
    text = typed_password(app, f"New password for {name}", stdin=stdin, twice=True)
    if len(text) < 6:
        raise UsageError("The password is too short.", "PAI requires at least 6 characters.")
    return text


def delete_each(
    app: CliApp, cluster: Cluster, names: tuple[str, ...], delete: Callable[[str], None], kind: str
) -> int:
    """Delete things one by one, telling of each; return the exit code of the first that failed."""
    from openpai.cli.framework.errors import report_for
    from openpai.core.errors import OpenPaiError

    code = 0
    for name in dict.fromkeys(names):
        try:
            with explained(cluster):
                delete(name)
            app.note(f"{kind} '{name}' deleted.")
        except OpenPaiError as error:
            failure = report_for(error)
            code = code or failure.exit_code
            for line in failure.lines(app.console.paint):
                app.note(line)
    return code
