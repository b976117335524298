"""The errors of this distribution; all are :class:`~openpai.core.errors.OpenPaiError`."""

from __future__ import annotations

from openpai.core.errors import OpenPaiError

__all__ = ["KernelError", "NotebookError"]


class NotebookError(OpenPaiError):
    """A file that is no notebook, or a notebook that cannot become what was asked for."""


class KernelError(OpenPaiError):
    """No kernel could be started for a notebook, or what runs notebooks is not installed."""
