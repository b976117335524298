"""Where storages are mounted, as the environment says."""

from __future__ import annotations

import json
import os

from openpai.core.errors import ConfigError

__all__ = ["mounts_of_environment"]


def mounts_of_environment() -> dict[str, str]:
    """Read ``OPENPAI_STORAGES``: a JSON object of storage name → folder on this machine.

    Raises:
        ConfigError: It is not such an object.
    """
    text = os.environ.get("OPENPAI_STORAGES")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(
            "OPENPAI_STORAGES is not a JSON object of storage name to folder.",
            """Write it as {"NAME": "/FOLDER"}, or unset it.""",
        )
    return {str(name): str(folder) for name, folder in found.items()}
