"""Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from openpai.core.local.executor.docker import Oci

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Docker"]


class Docker(Oci):
    """The command ``docker`` and whatever it talks to."""

    name = program = "docker"

    def gpu_words(self, gpus: Sequence[int]) -> list[str]:
        """Return ``--gpus``, whose list has to stand in quotes of its own."""
        return ["--gpus", f'"device={",".join(map(str, gpus))}"']

    def login_words(self, folder: Path) -> tuple[list[str], list[str]]:
        """Return the folder as Docker's configuration."""
        return ["--config", str(folder)], []
