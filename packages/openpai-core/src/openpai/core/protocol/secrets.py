"""The mask for secrets in stored job configs (rest-server/src/utils/protocolSecret.js).

The server works on the text: from a line that begins with the bare word ``secrets:`` to the next
line that begins with a word character. Every other way to write the key stays readable.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

__all__ = ["MASK", "are_masked", "hides_secrets", "mask_secrets"]

MASK = "******"

# JavaScript's ^ with the m flag: after any of its four line terminators; its \w is ASCII.
_LINE = r"(?:^|(?<=[\n\r\u2028\u2029]))"
_SECRETS = re.compile(rf"({_LINE}secrets:)[\s\S]*?({_LINE}[A-Za-z0-9_])")


def mask_secrets(text: str) -> str:
    """Return the text of a job as the server stores it and shows it to every user."""
    return _SECRETS.sub(rf'\1 "{MASK}"\n\2', text + "\nZ", count=1)[:-2]


def hides_secrets(text: str, document: Mapping[str, Any]) -> bool:
    """Whether the server's mask covers the secrets in the text of a job, and nothing else.

    The stored text must say the same as the job, but for the asterisks: a mask that ends too early
    shows a part of the secrets, one that ends too late takes other keys away from the runtime.
    """
    if not document.get("secrets") or are_masked(document):
        return True
    from openpai.core.protocol.job_yaml import YamlError, load_yaml
    from openpai.core.protocol.source import same

    try:
        stored = load_yaml(mask_secrets(text))
    except YamlError:
        return False
    wanted = {**document, "secrets": MASK}
    if not isinstance(stored, dict) or set(stored) != set(wanted):
        return False
    return all(same(value, wanted[key]) for key, value in stored.items())


def are_masked(document: Mapping[str, Any]) -> bool:
    """Whether a job came back from a server, its secrets replaced by asterisks."""
    return document.get("secrets") == MASK
