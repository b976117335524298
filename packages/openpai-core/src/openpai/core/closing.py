"""Base class of context managers that close themselves."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Closing"]

T = TypeVar("T", bound="Closing")


class Closing:
    """A context manager that calls :meth:`close` at the end of the block."""

    def close(self) -> None:
        """Release resources; by default there are none."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
