"""The runtime's own log: prefixed lines on stderr, with secrets masked."""

from __future__ import annotations

import contextlib
import os

__all__ = ["PREFIX", "log", "mask", "message_of"]

PREFIX = "[openpai-runtime]"


def log(text: str) -> None:
    """Write the lines of a text to stderr in one write, so that they do not mix with others."""
    lines = "".join(f"{PREFIX} {line}\n" for line in mask(text).splitlines())
    with contextlib.suppress(OSError):  # stderr may be closed
        os.write(2, lines.encode("utf-8", "backslashreplace"))


def mask(text: str) -> str:
    """Return a text with every secret of the job replaced by ``******``."""
    from openpai.runtime.secrets import secret_texts  # read when first needed

    for secret in secret_texts():
        text = text.replace(secret, "******")
    return text


def message_of(error: BaseException) -> str:
    """Return an error's message as a sentence, without errno."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return text if text.endswith((".", "!", "?")) else f"{text}."
