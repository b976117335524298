"""What the cluster is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpai.core.local.api.responses import answer, text_answer

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from openpai.core.local.api.app import Call

__all__ = ["banner", "healthz", "info"]

#: The release of the real rest-server whose behaviour is emulated.
EMULATED_VERSION = "1.8.0"


def info(_: Call) -> Response:
    """``ANY /info`` and ``/api/v1``."""
    return answer(
        {
            "name": "PAI RESTful API",
            "version": EMULATED_VERSION,
            "launcherType": "k8s",
            "authnMethod": "basic",
        }
    )


def banner(_: Call) -> Response:
    """``ANY /api/v2``."""
    return text_answer("PAI RESTful API v2 (beta version)")


def healthz(_: Call) -> Response:
    """``GET /healthz``, which clients ask the proxy in front of a cluster."""
    return text_answer("ok")
