"""Podman, as root or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from openpai.core.local.executor.docker import Oci

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Podman"]


class Podman(Oci):
    """The command ``podman``; ``containers.conf`` says how it works, as everywhere."""

    name = program = "podman"
    info_format = "{{.Host.Kernel}}"
    remove_words = ("rm", "--force", "--volumes", "--time", "0")

    def gpu_words(self, gpus: Sequence[int]) -> list[str]:
        """Return the devices as the NVIDIA container toolkit names them (CDI)."""
        return [word for gpu in gpus for word in ("--device", f"nvidia.com/gpu={gpu}")]

    def login_words(self, folder: Path) -> tuple[list[str], list[str]]:
        """Return the file of credentials."""
        return [], ["--authfile", str(folder / "config.json")]
