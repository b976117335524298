"""Tell what was found at a cluster's address, and what it offers to a user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openpai.core.rest import is_loopback

if TYPE_CHECKING:
    from openpai.core.client import Cluster, Found

__all__ = ["HARMLESS_SKEW", "capability_lines", "clock_line", "server_line", "warnings"]

_LOGINS = {"basic": "login by password", "OIDC": "login with a browser"}
# Fewer seconds do no harm: tokens are renewed minutes before their end.
HARMLESS_SKEW = 60


def server_line(found: Found) -> str:
    """Return one sentence about a cluster."""
    info = found.info
    version = f" {info.version}" if info.version else ""
    login = _LOGINS.get(info.authn_method, "login method unknown")
    return f"PAI{version} at {found.uri}; {login}."


def warnings(found: Found) -> Iterator[str]:
    """Yield what may go wrong later."""
    if found.uri.startswith("http://") and not is_loopback(found.uri):
        yield "The connection is not encrypted (http): others can read passwords, tokens and jobs."
    if abs(found.clock_ahead) >= HARMLESS_SKEW:
        yield clock_line(found.clock_ahead)


def clock_line(ahead: float) -> str:
    """Return a sentence about a clock that is ``ahead`` seconds wrong."""
    where = "ahead of" if ahead > 0 else "behind"
    return (
        f"The cluster's clock is {abs(ahead) / 60:.0f} min {where} this machine's: "
        "one of them is wrong."
    )


def capability_lines(cluster: Cluster) -> Iterator[str]:
    """Yield what the cluster offers to the user: virtual clusters with what is free, storages.

    Raises:
        OpenPaiError: The cluster does not say.
    """
    free = [
        f"{name} ({vc.free.gpu} GPUs and {vc.free.cpu} CPUs free)"
        for name, vc in cluster.resources().items()
    ]
    yield f"Virtual clusters: {', '.join(free) or 'none that you may use'}."
    yield f"Storages: {', '.join(spec.name for spec in cluster.storages()) or 'none'}."
