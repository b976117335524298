"""Bring the real programs that the tests talk to onto this machine, where it lacks them.

    python tests/tools/machine.py

Debian's packages come by ``apt-get``, which needs root; npm's and NNI go to folders of their own
below ``~/.cache/openpai-tests``. Hadoop's jars are fetched by the tests that start HDFS, by Maven.
What cannot be had is named, and the tests that need it say so: they skip, or fail where ``CI`` or
``OPENPAI_TESTS_REQUIRE_PARTS`` is set.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "chromium": "chromium",
    "fish": "fish",
    "crun": "crun",
    "dbus-run-session": "dbus",
    "docker": "docker.io",
    "gnome-keyring-daemon": "gnome-keyring",
    "podman": "podman",
    "runc": "runc",
    "kinit": "krb5-user",
    "krb5-config": "libkrb5-dev",
    "kadmin.local": "krb5-admin-server",
    "krb5kdc": "krb5-kdc",
    "openssl": "openssl",
    "wget": "wget",
    "smbd": "samba",
    "ip": "iproute2",
    "sshd": "openssh-server",
    "zsh": "zsh",
}
PACKAGES = Path(__file__).with_name("machine.json")
# The last release whose OpenPAI mode works; newer ones have lost it.
NNI = ("nni==2.10.1", "setuptools<70")


def find(program: str) -> str | None:
    """Return where a program is, servers of the administrator's folders included."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def cache() -> Path:
    """Return the folder for what is not Debian's."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "openpai-tests")


def node_folder() -> Path:
    """Return the folder that holds (or will hold) ``node_modules`` for the tests."""
    return cache() / f"node-{hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:12]}"


def nni_folder() -> Path:
    """Return the folder of the environment that has (or will have) NNI."""
    name = f"{sys.version_info[0]}.{sys.version_info[1]}-{'-'.join(NNI)}"
    return cache() / f"nni-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def bring_programs() -> bool:
    """Install the Debian packages of missing programs; return whether all are there now."""
    packages = sorted({package for name, package in PROGRAMS.items() if not find(name)})
    if not packages:
        return True
    if not find("apt-get") or os.geteuid() != 0:
        print(f"As root, run: apt-get install {' '.join(packages)}", file=sys.stderr)
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        if subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode:
            print(f"{' '.join(command)}: failed", file=sys.stderr)
            return False
    return True


def bring_packages() -> bool:
    """Install npm's packages in a folder of their own; return whether they are there now."""
    folder = node_folder()
    if folder.exists():
        return True
    npm = find("npm")
    if npm is None:
        print("The tests of Azure Blob and of the JavaScript SDK need Node.js.", file=sys.stderr)
        return False
    loading = folder.with_name(f"loading-node-{os.getpid()}")
    loading.mkdir(parents=True)
    shutil.copy(PACKAGES, loading / "package.json")
    install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
    done = subprocess.run(install, cwd=loading, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        shutil.rmtree(loading)
        print(f"{' '.join(install)}: failed", file=sys.stderr)
        return False
    loading.rename(folder)
    return True


def bring_nni() -> bool:
    """Install NNI into an environment of its own; return whether it is there now."""
    folder = nni_folder()
    if (folder / "complete").exists():
        return True
    uv = find("uv")
    if uv is None:
        print("The test of NNI needs uv.", file=sys.stderr)
        return False
    python = str(folder / "bin" / "python")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", python, *NNI],
    ):
        if subprocess.run(command, check=False).returncode:
            print(f"{' '.join(command)}: failed", file=sys.stderr)
            return False
    (folder / "complete").touch()
    return True


if __name__ == "__main__":
    sys.exit(0 if all([bring_programs(), bring_packages(), bring_nni()]) else 1)
