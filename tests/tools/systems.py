"""Bring root file systems of other Linux systems, for tests of what runs inside images.

    python tests/tools/systems.py [NAME ...]

Debian's and Ubuntu's come by debootstrap, which needs root and takes a minute each; they are kept
below ``~/.cache/openpai-tests/systems``. ``tests/integration/systems`` uses those that it finds,
and always this machine's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_DEBIAN, _UBUNTU = "http://deb.debian.org/debian", "http://archive.ubuntu.com/ubuntu"
SYSTEMS = {
    "bookworm": _DEBIAN,  # Debian 12, Python 3.11
    "jammy": _UBUNTU,  # Ubuntu 22.04, Python 3.10
    "bionic": _UBUNTU,  # Ubuntu 18.04, Python 3.6
}


def folder() -> Path:
    """Return where the systems are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "openpai-tests" / "systems"


def bring(name: str) -> bool:
    """Make the root file system if it is not there; return whether it is there now."""
    target = folder() / name
    if target.exists():
        return True
    debootstrap = shutil.which("debootstrap", path=f"{os.environ['PATH']}:/usr/sbin")
    if debootstrap is None or os.geteuid() != 0:
        print(f"{name}: debootstrap and root are needed", file=sys.stderr)
        return False
    made = target.with_name(f"{name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    keys = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
    # Debian has no keys of Ubuntu; what comes is run in namespaces without network only.
    unchecked = ["--no-check-gpg"] if SYSTEMS[name] == _UBUNTU and not keys.exists() else []
    options = [*unchecked, "--variant=minbase", "--include=python3"]
    done = subprocess.run(
        [debootstrap, *options, name, str(made), SYSTEMS[name]],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        print(f"{name}: debootstrap failed, see {made}/debootstrap", file=sys.stderr)
        return False
    made.rename(target)
    return True


if __name__ == "__main__":
    missing = [name for name in sys.argv[1:] or SYSTEMS if not bring(name)]
    sys.exit(1 if missing else 0)
