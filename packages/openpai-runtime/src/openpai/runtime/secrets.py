"""Read the job's secrets into variables, and mask them in the log.

PAI mounts the key ``secrets`` of the job as a file of YAML, if the job has any (rest-server/src/
models/v2/job/k8s.js). They are given to programs in their environment or in files that only this
user can read, never among their arguments, which every user of the machine can see.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any, Iterator, Mapping, Sequence

from openpai.core.errors import OpenPaiError

__all__ = ["PLATFORM_SECRETS", "read_secret", "read_secrets", "secret_texts", "secret_variables"]

PLATFORM_SECRETS = "/usr/local/pai/secrets/secrets.yaml"
"""Where PAI mounts the job's secrets."""

_SHORTEST = 4  # shorter texts are parts of ordinary words


def read_secrets(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the job's secrets: those of the file ``OPENPAI_SECRETS``, else the platform's.

    Raises:
        OpenPaiError: The file cannot be read.
    """
    path = environ.get("OPENPAI_SECRETS") or PLATFORM_SECRETS
    if not os.path.exists(path):  # noqa: PTH110 - every task asks
        return {}
    from openpai.core.protocol import YamlError, load_yaml

    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - every task asks
            secrets = load_yaml(file.read())
    except (OSError, UnicodeDecodeError, YamlError):
        # The cause is not shown: it may quote a secret.
        raise OpenPaiError(f"The secrets of the job cannot be read from {path}.") from None
    return secrets if isinstance(secrets, dict) else {}


def read_secret(name: str, environ: Mapping[str, str]) -> str:
    """Return one of the job's secrets.

    Raises:
        OpenPaiError: The job has no such secret, or the secrets cannot be read.
    """
    from openpai.core.protocol import secret_value

    secrets = read_secrets(environ)
    value = secret_value(secrets, name)
    if value is None:
        known = ", ".join(map(str, secrets)) or "none"
        raise OpenPaiError(f"The job has no secret '{name}'.", f"It has: {known}.")
    return value


def secret_variables(
    wanted: Sequence[tuple[str, str]], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return variables with their values.

    Args:
        wanted: The name of each variable, and of the secret that it gets.
        environ: The environment with the path of the file.

    Raises:
        OpenPaiError: A secret is missing, or the secrets cannot be read.
    """
    return {variable: read_secret(name, environ) for variable, name in wanted}


@lru_cache(maxsize=1)
def secret_texts() -> Sequence[str]:
    """Return the texts to mask, the longest first; none if the file cannot be read."""
    try:
        found = {text for value in _values(read_secrets(os.environ)) for text in _texts(value)}
    except OpenPaiError:
        return ()
    return sorted(found, key=len, reverse=True)


def _values(secrets: Any) -> Iterator[str]:
    if isinstance(secrets, Mapping):
        secrets = list(secrets.values())
    if isinstance(secrets, list):
        for value in secrets:
            yield from _values(value)
    elif secrets is not None and not isinstance(secrets, bool):
        yield str(secrets)


def _texts(value: str) -> Iterator[str]:
    """Yield a secret and each of its lines, since messages are printed by lines."""
    for text in (value, *value.splitlines()):
        if len(text.strip()) >= _SHORTEST:
            yield text.strip()
