"""What is closed at the end of a ``with`` block."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["Closing"]

T = TypeVar("T", bound="Closing")


class Closing:
    """A context manager that gives itself, and closes itself at the end of the block."""

    def close(self) -> None:
        """Give back what is held; the default holds nothing."""

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
