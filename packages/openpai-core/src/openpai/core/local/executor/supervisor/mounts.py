"""Mount folders of this machine at other paths, for one task only.

The calling process enters a mount namespace of its own (and, unless it runs as root, a user
namespace with the same user); only its children see the mounts, which end with them. Linux only;
where it is not permitted, the reason is returned and nothing has changed.
"""
# ruff: noqa: PTH100, PTH102, PTH103, PTH112, PTH114, PTH118, PTH120, PTH123, PTH208, PTH211
# (importing pathlib takes as long as everything else that a start needs)

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping

__all__ = ["mount_folders"]

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000


def mount_folders(mounts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Mount folders at other paths, for this process and its children only.

    Args:
        mounts: Each with ``name``, ``source`` and ``target``, absolute folders.

    Returns:
        One sentence per mount for the log.
    """
    wanted = list(mounts)
    if not wanted:
        return []
    try:
        _enter_namespace()
    except OSError as error:
        reason = f"this machine does not allow it ({error.strerror})"
        return [_failure(mount, reason) for mount in wanted]
    return [_mount_one(mount) for mount in wanted]


def _failure(mount: Mapping[str, Any], reason: str) -> str:
    return (
        f"storage {mount['name']} is not at {mount['target']}: {reason}; "
        f"it is at {mount['source']}, see OPENPAI_STORAGES"
    )


def _mount_one(mount: Mapping[str, Any]) -> str:
    target = os.path.abspath(mount["target"])
    try:
        source = os.open(mount["source"], os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return _failure(mount, error.strerror or str(error))
    try:
        if not os.path.isdir(target):
            _make_visible(target)
        _mount(f"/proc/self/fd/{source}", target, MS_BIND)
    except OSError as error:
        return _failure(mount, error.strerror or str(error))
    finally:
        os.close(source)
    return f"storage {mount['name']} is at {target}"


def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    import ctypes

    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source: str, target: str, flags: int, kind: str = "none") -> None:
    _check(_libc().mount(source.encode(), target.encode(), kind.encode(), flags, None))


def _enter_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        unshare = _libc().unshare
    except AttributeError:
        raise OSError(0, "there are no mount namespaces here") from None
    _check(unshare(CLONE_NEWNS if user == 0 else CLONE_NEWUSER | CLONE_NEWNS))
    if user != 0:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    _mount("none", "/", MS_REC | MS_PRIVATE)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _make_visible(target: str) -> None:
    """Make a folder appear at ``target`` without changing the disk.

    An empty file system in memory covers its nearest existing ancestor; what was there is bound
    into it again.

    Raises:
        OSError: That ancestor is the root folder, or mounting is not permitted.
    """
    parent = os.path.dirname(target)
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    if parent == "/":
        raise OSError(0, f"there is no folder {target} on this machine")
    covered = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _mount("tmpfs", parent, 0, "tmpfs")
        held = f"/proc/self/fd/{covered}"  # leads below what now covers it
        for name in os.listdir(held):
            _bind_again(os.path.join(held, name), os.path.join(parent, name))
    finally:
        os.close(covered)
    os.makedirs(target, exist_ok=True)


def _bind_again(old: str, new: str) -> None:
    if os.path.islink(old):
        os.symlink(os.readlink(old), new)
        return
    if os.path.isdir(old):
        os.mkdir(new)
    else:
        with open(new, "w", encoding="ascii"):
            pass
    _mount(old, new, MS_BIND | MS_REC)
