"""Names as PAI stores them (rest-server/src/models/v2/utils/name.js)."""

from __future__ import annotations

import hashlib
import re

__all__ = ["convert_name", "encode_name"]

_NOT_PLAIN = re.compile(r"[^a-z0-9]")


def convert_name(name: str) -> str:
    """Fold a name to ``[a-z0-9]*``, as the server does with the name of every task role."""
    return _NOT_PLAIN.sub("", name.lower())


def encode_name(name: str) -> str:
    """Return the name under which Kubernetes knows the job ``<user>~<job>``: its md5 in hex.

    A name without ``~`` or one that begins with ``unknown`` is folded instead.
    """
    if name.startswith("unknown") or "~" not in name:
        return convert_name(name[len("unknown") :] if name.startswith("unknown") else name)
    return hashlib.new("md5", name.encode()).hexdigest()  # noqa: S324 - PAI chose it
