"""The runtime's own words: lines on stderr that say who is speaking, and never a secret."""

from __future__ import annotations

import contextlib
import os

__all__ = ["PREFIX", "mask", "reason", "say"]

PREFIX = "[openpai-runtime]"


def say(text: str) -> None:
    """Write each line of a text to stderr, in one piece so that it never mixes with others'."""
    lines = "".join(f"{PREFIX} {line}\n" for line in mask(text).splitlines())
    with contextlib.suppress(OSError):  # stderr may be closed: what matters goes on
        os.write(2, lines.encode("utf-8", "backslashreplace"))


def mask(text: str) -> str:
    """Return a text with every secret of the job replaced by ``******``."""
    from openpai.runtime.secrets import secret_texts  # read when something is said, not before

    for secret in secret_texts():
        text = text.replace(secret, "******")
    return text


def reason(error: BaseException) -> str:
    """Return what an error says, as a sentence, without Python's error numbers."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return text if text.endswith((".", "!", "?")) else f"{text}."
