"""The container's operating system and this process's privileges."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping, Sequence

from openpai.core.errors import OpenPaiError

__all__ = ["System"]

_CAP_SYS_ADMIN = 21
_FAMILIES = {
    "debian": "debian",
    "ubuntu": "debian",
    "rhel": "rhel",
    "fedora": "rhel",
    "centos": "rhel",
    "alpine": "alpine",
}
_INSTALLERS: dict[str, Sequence[tuple[str, Sequence[Sequence[str]]]]] = {
    "debian": [
        (
            "apt-get",
            [
                ["apt-get", "update", "-qq"],
                ["apt-get", "install", "-qq", "-y", "--no-install-recommends"],
            ],
        )
    ],
    "rhel": [
        (name, [[name, "install", "-q", "-y"]]) for name in ("dnf", "microdnf", "tdnf", "yum")
    ],
    "alpine": [("apk", [["apk", "add", "-q", "--no-cache"]])],
}


@dataclass(frozen=True)
class System:
    """The operating system.

    Attributes:
        family: ``debian`` (Ubuntu too), ``rhel`` (Fedora, CentOS, Rocky, … too), ``alpine``, or
            empty.
        path: Search path of programs, with the ``sbin`` folders.
        is_root: Whether this process may install packages.
        may_mount: Whether this process may mount file systems.
        has_fuse: Whether it may mount FUSE file systems.
    """

    family: str
    path: str
    is_root: bool
    may_mount: bool
    has_fuse: bool

    @classmethod
    def here(cls, environ: Mapping[str, str], root: Path = Path("/")) -> System:
        """Detect the system below a root folder."""
        fuse = root / "dev/fuse"
        return cls(
            family=_family(root),
            path=f"{environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin",
            is_root=os.geteuid() == 0,
            may_mount=_has_capability(_CAP_SYS_ADMIN),
            has_fuse=fuse.exists() and os.access(fuse, os.R_OK | os.W_OK),
        )

    def find(self, program: str) -> str | None:
        """Return the path of a program, or ``None``."""
        return shutil.which(program, path=self.path)

    def installing(self, packages: Mapping[str, str]) -> list[list[str]]:
        """Return the commands that install a package.

        Args:
            packages: The package's name by family.

        Raises:
            OpenPaiError: It cannot be installed.
        """
        package = packages.get(self.family)
        names = " or ".join(sorted(set(packages.values())))
        if not package:
            system = self.family or "an unknown system"
            raise OpenPaiError(f"{names} is not installed, and cannot be on {system}.")
        if not self.is_root:
            raise OpenPaiError(f"{package} is not installed, and only root could install it.")
        for program, commands in _INSTALLERS[self.family]:
            if self.find(program):
                return [*map(list, commands[:-1]), [*commands[-1], package]]
        raise OpenPaiError(f"{package} is not installed, and there is no package manager.")


def _family(root: Path) -> str:
    """Return the family, by ``ID`` and ``ID_LIKE`` of ``os-release``."""
    try:
        text = (root / "etc/os-release").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    names = [values.get("ID", ""), *values.get("ID_LIKE", "").strip("\"'").split()]
    known = (_FAMILIES.get(name.strip("\"'")) for name in names)
    return next(filter(None, known), "")


def _has_capability(number: int) -> bool:
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return False
    for line in text.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
