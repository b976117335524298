"""How storages that the platform has not mounted are brought under their paths."""

from __future__ import annotations

import dataclasses
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openpai.core.errors import OpenPaiError
from openpai.core.git import git_command
from openpai.core.protocol.runtime_section import RuntimeSection
from openpai.runtime.exit_codes import NOT_READY
from openpai.runtime.job.context import TaskJob
from openpai.runtime.setup.mounts import mount_goals
from openpai.runtime.setup.steps import describe_goals
from openpai.runtime.setup.system import System

ROOT = System("debian", "/nowhere", is_root=True, may_mount=True, has_fuse=True)
KEYS = {"accountName": "acc"}
DATA = {
    "nfs": {"server": "10.0.0.1", "path": "/share"},
    "samba": {"address": "//host/share", "username": "bob"},
    "azureFile": {"shareName": "files", **KEYS},
    "azureBlob": {"containerName": "blobs", **KEYS},
}
CIFS = "mount -t cifs -o rw,vers=3.0,credentials={private},uid=0,gid=0,serverino"
SECRETS = {"samba": "password", "azureFile": "accountKey", "azureBlob": "accountKey"}


def plan(tmp_path: Path, kind: str, system: System, *, read_only: bool = False) -> str:
    """What would be done to mount a storage of this type."""
    mount: dict[str, Any] = {
        "storage": "team",
        "path": str(tmp_path / "data"),
        "type": kind,
        "data": DATA[kind],
        "readOnly": read_only,
    }
    if kind in SECRETS:
        mount["secrets"] = {SECRETS[kind]: "key"}
    section = RuntimeSection.from_dict({"mounts": [mount]})
    job = TaskJob.of({"taskRoles": {"main": {}}}, section, {"OPENPAI_SECRETS": "/dev/null"})
    return "\n".join(describe_goals(mount_goals(job, system)))


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("nfs", "mount -t nfs -o rw,nolock 10.0.0.1:/share {path}"),
        (
            "samba",
            f"{CIFS} //host/share {{path}}",
        ),
        (
            "azureFile",
            f"{CIFS} //acc.file.core.windows.net/files {{path}}",
        ),
        ("azureBlob", "blobfuse2 mount {path} --config-file={private}"),
    ],
)
def test_mount_plan_has_command_of_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, command: str
) -> None:
    """A program with arguments, none of which is a secret."""
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setattr("os.getgid", lambda: 0)
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/private")
    text = plan(tmp_path, kind, with_programs(tmp_path))
    wanted = command.format(path=tmp_path / "data", private="/private/openpai-0-team")
    assert f"    {wanted}\n" in text + "\n"
    assert "install" not in text


def with_programs(folder: Path, **changes: Any) -> System:
    """A system that has every program that mounts."""
    for name in ("mount.nfs", "mount.cifs", "blobfuse2"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return dataclasses.replace(ROOT, path=str(folder), **changes)


@pytest.mark.parametrize(
    ("family", "installer", "commands"),
    [
        (
            "debian",
            "apt-get",
            ["apt-get update -qq", "apt-get install -qq -y --no-install-recommends nfs-common"],
        ),
        ("rhel", "dnf", ["dnf install -q -y nfs-utils"]),
        ("rhel", "yum", ["yum install -q -y nfs-utils"]),
        ("alpine", "apk", ["apk add -q --no-cache nfs-utils"]),
    ],
)
def test_mount_plan_installs_missing_programs(
    tmp_path: Path, family: str, installer: str, commands: list[str]
) -> None:
    """Debian and Ubuntu, the Red Hat family, Alpine."""
    (tmp_path / installer).write_text("#!/bin/sh\n")
    (tmp_path / installer).chmod(0o755)
    text = plan(tmp_path, "nfs", dataclasses.replace(ROOT, family=family, path=str(tmp_path)))
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    assert lines[: len(commands)] == commands


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("nfs", {"may_mount": False}, "this process may not mount"),
        ("azureBlob", {"has_fuse": False}, "/dev/fuse may not be used here"),
        ("nfs", {"is_root": False}, "only root could install it"),
        ("nfs", {"family": ""}, "cannot be on an unknown system"),
        ("azureBlob", {"family": "alpine"}, "cannot be on alpine"),
        ("samba", {}, "there is no package manager"),
    ],
)
def test_mount_plan_copies_or_refuses(
    tmp_path: Path, kind: str, changes: dict[str, Any], why: str
) -> None:
    """A storage that is only read is copied; of one that is written a copy would be a lie."""
    system = dataclasses.replace(ROOT, **changes)
    text = plan(tmp_path, kind, system, read_only=True)
    assert text == f"- copy all of team to {tmp_path}/data"
    with pytest.raises(OpenPaiError) as caught:
        plan(tmp_path, kind, system)
    assert why in str(caught.value)
    assert "With readOnly: true it would be copied." in str(caught.value)


def test_mount_plan_by_fuse_needs_no_root(tmp_path: Path) -> None:
    """blobfuse2 mounts for any user who may use the device."""
    system = with_programs(tmp_path, is_root=False, may_mount=False)
    assert "blobfuse2 mount" in plan(tmp_path, "azureBlob", system)


@pytest.mark.process
def test_mount_plan_prefers_platform_mount(task: Any, tmp_path: Path) -> None:
    """With a type or without, what is mounted already is used."""
    (task.storage / "x").write_text("platform")
    mount = {"storage": "team", "path": str(tmp_path / "in"), "type": "nfs", "data": DATA["nfs"]}
    task.section(mounts=[mount])
    assert task.bash(f"cat {tmp_path}/in/x").stdout == "platform"
    assert set(task.manifest["seconds"]) == {"mounts", "before", "command"}


@pytest.mark.process
def test_unmountable_storage_is_copied(task: Any, tmp_path: Path) -> None:
    """The whole tree, through the storage interface; the failed mount is said."""
    pytest.importorskip("openpai.storage")
    source = tmp_path / "share"
    (source / "deep").mkdir(parents=True)
    (source / "deep/x").write_text("copied")
    data = {"server": "127.0.0.1", "path": str(source)}
    path = str(tmp_path / "in")
    mount = {"storage": "far", "path": path, "type": "nfs", "data": data, "readOnly": True}
    task.section(mounts=[mount])
    task.env["PATH"] = f"{failing(tmp_path, 'mount', 'mount.nfs')}:{task.env['PATH']}"
    done = task.bash(f"cat {path}/deep/x")
    assert done.stdout == "copied", done.stderr


def failing(folder: Path, *names: str) -> Path:
    """Return a folder with programs that always fail."""
    programs = folder / "failing"
    programs.mkdir()
    for name in names:
        (programs / name).write_text("#!/bin/sh\nexit 32\n")
        (programs / name).chmod(0o755)
    return programs


@pytest.mark.process
def test_mount_credentials_are_private_and_removed(task: Any, tmp_path: Path) -> None:
    """The program that mounts reads them from a file."""
    (tmp_path / "secrets.yaml").write_text("key: s3cr3t\n")
    programs = failing(tmp_path, "mount.cifs")
    (programs / "mount").write_text(
        "#!/bin/sh\n"
        'file=$(echo "$4" | sed "s/.*credentials=\\([^,]*\\),.*/\\1/")\n'
        f'(stat -c %a "$file"; cat "$file"; echo "$@") >{tmp_path}/seen\n'
    )
    (programs / "mount").chmod(0o755)
    task.env.update(
        OPENPAI_SECRETS=str(tmp_path / "secrets.yaml"),
        TMPDIR=str(tmp_path / "tmp"),
        PATH=f"{programs}:{task.env['PATH']}",
    )
    mount = {
        "storage": "far",
        "path": str(tmp_path / "in"),
        "type": "samba",
        "data": DATA["samba"],
        "secrets": {"password": "key"},
    }
    task.section(mounts=[mount])
    done = task.run("true")
    if not System.here({}).may_mount:
        assert done.returncode == NOT_READY
        return
    assert done.returncode == 0, done.stderr
    mode, *lines = (tmp_path / "seen").read_text().splitlines()
    assert (mode, lines[:2]) == ("600", ["username=bob", "password=s3cr3t"])
    assert "s3cr3t" not in lines[-1]
    assert not list((tmp_path / "tmp").glob("openpai-*-far"))


@pytest.mark.parametrize(
    ("release", "family"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian"),
        ("ID=ubuntu\nID_LIKE=debian\n", "debian"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'\n", "debian"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "rhel"),
        ('ID="rhel"\n', "rhel"),
        ("ID=alpine\n", "alpine"),
        ("ID=gentoo\n", ""),
        (None, ""),
    ],
)
def test_package_manager_is_detected(tmp_path: Path, release: str | None, family: str) -> None:
    """os-release says what a system is, and what it is like."""
    if release is not None:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc/os-release").write_text(release)
    assert System.here({}, tmp_path).family == family


@pytest.mark.process
def test_mount_dry_run_prints_plan(task: Any, tmp_path: Path) -> None:
    """Every program with its arguments, and the command last."""
    mount = {"storage": "team", "path": str(tmp_path / "in")}
    task.section(
        mounts=[mount],
        git=[{"repository": "https://example.org/x.git", "commit": "main", "directory": "x"}],
        requirements=["pandas==2.2.3"],
        waitForPeers="5m",
    )
    task.config.write_text(json.dumps(task.document))
    argv = [sys.executable, "-m", "openpai.runtime", "run", "--dry-run", "--", "echo", "a b"]
    done = subprocess.run(
        argv, env=task.env, cwd=task.work, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines[0] == f"- link {tmp_path}/in to {task.storage}"
    words = ("fetch", "-q", "--depth", "1", "--", "https://example.org/x.git", "main")
    assert f"    {shlex.join(git_command(task.work / 'x', *words))}" in lines
    assert "- install pandas==2.2.3" in lines
    assert lines[-3:] == ["- wait for the other tasks", "- run the command", "    echo 'a b'"]
    assert not (tmp_path / "in").exists()
    assert list(task.work.iterdir()) == []
