"""The system's keyring, with a deadline for each call.

The library ``keyring`` is optional. Without a desktop its backends may fail or hang, so that every
call has a deadline.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, Callable, Mapping

from openpai.core.deadline import DeadlineError, with_deadline
from openpai.core.errors import ConfigError

__all__ = ["delete", "is_available", "read", "write"]

_SERVICE = "openpai"
_SECONDS = 10.0
_HINT = "Unlock it, or keep secrets in a private file: opai set -g credentials=file"


def is_available() -> bool:
    """Whether there is a secure keyring that answers."""
    try:
        return bool(_in_time(_priority) >= 1)
    except ConfigError:
        return False


def _priority() -> float:
    import keyring

    return float(keyring.get_keyring().priority)


def read(name: str, *, seconds: float = _SECONDS) -> dict[str, str]:
    """Return the secrets stored under a name; empty if there are none.

    Args:
        name: The name.
        seconds: Seconds to wait for it.

    Raises:
        ConfigError: The keyring is missing, locked, broken or does not answer.
    """

    def get() -> str | None:
        import keyring

        return keyring.get_password(_SERVICE, name)

    try:
        found = json.loads(_in_time(get, seconds) or "{}")
    except ValueError:
        found = {}
    return {str(key): str(value) for key, value in found.items()} if found else {}


def write(name: str, secrets: Mapping[str, str]) -> None:
    """Store secrets under a name.

    Raises:
        ConfigError: The keyring is missing, locked, broken or does not answer.
    """

    def put() -> None:
        import keyring

        keyring.set_password(_SERVICE, name, json.dumps(dict(secrets)))

    _in_time(put)


def delete(name: str) -> None:
    """Delete the secrets under a name, if any.

    Raises:
        ConfigError: The keyring is missing, locked, broken or does not answer.
    """

    def remove() -> None:
        import keyring
        from keyring.errors import PasswordDeleteError

        with suppress(PasswordDeleteError):  # there are none
            keyring.delete_password(_SERVICE, name)

    _in_time(remove)


def _in_time(call: Callable[[], Any], seconds: float = _SECONDS) -> Any:
    """Return the result of a call.

    Raises:
        ConfigError: It failed, or did not return in time.
    """
    try:
        return with_deadline(call, seconds)
    except DeadlineError:
        message, hint = f"The system keyring did not answer within {seconds:g} s.", _HINT
    except ImportError:
        message, hint = "The library 'keyring' is not installed.", "pip install keyring"
    except Exception as error:  # backends raise errors of any type
        message = f"The system keyring failed: {str(error) or type(error).__name__}."
        hint = _HINT
    raise ConfigError(message, hint)
