"""Names that Windows forbids, as the Linux kernel's mounts write them.

Each forbidden character becomes one of Unicode's private ones (linux, fs/smb/client/cifs_unicode.h,
"Services for Mac"), the default of ``mount.cifs``.
"""

from __future__ import annotations

import errno
from typing import Callable

__all__ = ["to_smb", "to_unix"]

_PRIVATE = {
    '"': "\uf020",
    "*": "\uf021",
    ":": "\uf022",
    "<": "\uf023",
    ">": "\uf024",
    "?": "\uf025",
    "\\": "\uf026",
    "|": "\uf027",
    **{chr(code): chr(0xF000 + code) for code in range(1, 32)},
}
_TO_SMB = str.maketrans(_PRIVATE)
_TO_UNIX = str.maketrans({theirs: ours for ours, theirs in _PRIVATE.items()})
#: Only at the end of a name.
_LAST = {" ": "\uf028", ".": "\uf029"}


def to_smb(path: str) -> str:
    """Return a path below a share, as SMB has it.

    Raises:
        OSError: A name is no Unicode (``errno.EINVAL``).
    """
    try:
        path.encode("utf-16-le")
    except UnicodeEncodeError:
        raise OSError(errno.EINVAL, "SMB has names in Unicode only") from None
    return "\\".join(_name_to_smb(name) for name in path.split("/") if name)


def _name_to_smb(name: str) -> str:
    name = name.translate(_TO_SMB)
    return name[:-1] + _LAST.get(name[-1], name[-1])


def to_unix(name: str) -> str:
    """Return the name of one file as it is on Unix."""
    ends: Callable[[str], bool] = name.endswith
    for ours, theirs in _LAST.items():
        if ends(theirs):
            name = name[:-1] + ours
    return name.translate(_TO_UNIX)
