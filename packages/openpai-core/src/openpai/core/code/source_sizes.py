"""How much code is too much: nobody wants to send a checkpoint by mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Collection, Mapping

from openpai.core.errors import ConfigError

__all__ = ["MIB", "check_sizes", "source_limit", "tell_sizes"]

MIB = 1 << 20

#: More than so many bytes of code are told of before they are sent.
MUCH = 50 * MIB

#: All files together may have so many times the limit of one.
TOGETHER = 10


def check_sizes(places: Mapping[str, Path], named: Collection[str], limit: int) -> None:
    """Refuse files over a limit that nobody named himself, and too many bytes of all together.

    Args:
        places: Name → file or folder.
        named: Names that were given themselves; they may have any size.
        limit: Bytes of one file.

    Raises:
        ConfigError: There are such files; the largest are listed.
    """
    sizes = {
        name: place.stat().st_size
        for name, place in places.items()
        if name not in named and place.is_file()
    }
    hint = (
        "Leave them out in .opaiignore, name them themselves as sources, or allow more: "
        "opai set source-limit=MIB"
    )
    if any(size > limit for size in sizes.values()):
        large = {name: size for name, size in sizes.items() if size > limit}
        raise ConfigError(f"Over {_mib(limit)} of code in one file: {_largest(large)}.", hint)
    total = sum(sizes.values())
    if total > limit * TOGETHER:
        what = f"{_mib(total)} of code, more than {_mib(limit * TOGETHER)}"
        raise ConfigError(f"{what}; the largest: {_largest(sizes)}.", hint)


def source_limit() -> int:
    """Return the limit that is set, in bytes.

    Raises:
        ConfigError: The default ``source-limit`` is no number of MiB.
    """
    from openpai.core.config.defaults import load_defaults

    found = load_defaults().get("source-limit")
    try:
        return int(float(found) * MIB)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError(
            f"The default 'source-limit' is '{found}', no number of MiB.",
            "Set it to one: opai set source-limit=100",
        ) from None


def tell_sizes(sizes: Mapping[str, int], tell: Callable[[str], None]) -> None:
    """Say before much is sent how much it is, and which files are the largest."""
    total = sum(sizes.values())
    if total > MUCH:
        tell(
            f"Sending {_mib(total)} of code in {len(sizes)} files; the largest: {_largest(sizes)}."
        )


def _largest(sizes: Mapping[str, int]) -> str:
    first = sorted(sizes, key=lambda name: (-sizes[name], name))[:5]
    more = len(sizes) - len(first)
    listed = ", ".join(f"{name} ({_mib(sizes[name])})" for name in first)
    return listed + (f" and {more} more" if more else "")


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size / 1024:.1f} KiB"
