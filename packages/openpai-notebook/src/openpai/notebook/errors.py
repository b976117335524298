"""The errors of this distribution; all are :class:`~openpai.core.errors.OpenPaiError`."""

from __future__ import annotations

from openpai.core.errors import ConfigError, OpenPaiError

__all__ = ["InvalidNotebookError", "KernelError", "NotebookError"]


class NotebookError(OpenPaiError):
    """Something about a notebook or its job that is not as it has to be."""


class InvalidNotebookError(NotebookError, ConfigError):
    """A file that is not a notebook, or that cannot be converted."""


class KernelError(NotebookError):
    """No kernel could be started for a notebook, or what runs notebooks is not installed."""
