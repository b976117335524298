"""The code that travels with a job: which files, packed how, kept where.

What is left out: what ``.gitignore`` and ``.opaiignore`` files say (:mod:`openpai.core.gitignore`),
and version control folders, virtual environments and caches unless they are named themselves.
``.opaiignore`` is read as if its lines stood at the end of the ``.gitignore`` beside it, so it may
also take things back in (``!weights.bin``). Files that git tracks are not left out by
``.gitignore``, as in git itself. Unlike git, only ignore files in the work tree count, not the
user's own.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from openpai.core.code.archive import Archive, pack_archive, unpack_archive
from openpai.core.errors import ConfigError, StorageError
from openpai.core.git import ask_git
from openpai.core.gitignore import Rule, matching_rule, read_rules
from openpai.core.storage import Storage
from openpai.core.units import format_size

__all__ = [
    "MIB",
    "Archive",
    "check_sizes",
    "pack_sources",
    "source_limit",
    "tell_sizes",
    "unpack_archive",
    "upload_code",
]


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
        raise ConfigError(
            f"Over {format_size(limit)} of code in one file: {_largest(large)}.", hint
        )
    total = sum(sizes.values())
    if total > limit * TOGETHER:
        what = f"{format_size(total)} of code, more than {format_size(limit * TOGETHER)}"
        raise ConfigError(f"{what}; the largest: {_largest(sizes)}.", hint)


def source_limit() -> int:
    """Return the limit that is set, in bytes.

    Raises:
        ConfigError: The default ``source-limit`` is no number of MiB.
    """
    from openpai.core.config import load_defaults

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
            f"Sending {format_size(total)} of code in {len(sizes)} files; "
            f"the largest: {_largest(sizes)}."
        )


def _largest(sizes: Mapping[str, int]) -> str:
    first = sorted(sizes, key=lambda name: (-sizes[name], name))[:5]
    more = len(sizes) - len(first)
    listed = ", ".join(f"{name} ({format_size(sizes[name])})" for name in first)
    return listed + (f" and {more} more" if more else "")


#: Bytes of a file that is taken without being named itself.
LIMIT = 100 * MIB

_IGNORE_FILES = (".gitignore", ".opaiignore")
_LEFT_OUT = {".git", ".hg", ".svn", ".openpai", "__pycache__", ".ipynb_checkpoints"}


def pack_sources(
    sources: Iterable[Path | str],
    base: Path,
    files: Mapping[str, Path] | None = None,
    *,
    limit: int = LIMIT,
) -> Archive:
    """Pack files and folders of ``base`` into a temporary archive; see the module for what.

    A file or folder that is named itself is taken, whatever an ignore file says of it, and as
    what it leads to if it is a link. Other symbolic links stay links, led straight to their ends.

    Args:
        sources: Files and folders, absolute or relative to ``base``.
        base: The folder that names in the archive are relative to.
        files: Name in the archive → file, for files from anywhere; they win over sources.
        limit: Bytes of a file that was not named itself; all such files together may have
            ten times as many.

    Raises:
        ConfigError: A source is missing, lies outside of ``base``, or is or holds a link that
            leads out of it; or nothing is left to pack; or more than the limit allows.
        StorageError: A file changed while it was packed, or is neither file nor folder.
        OSError: A file cannot be read, or the archive not be written.
    """
    base = Path(os.path.realpath(base))
    found = _Found(base)
    for source in sources:
        _add_source(found, os.fspath(source))
    found.add_files(files or {})
    if not found.places and not found.links:
        raise ConfigError(
            f"No files of {base} are left to pack.", "Name others, or see .gitignore, .opaiignore."
        )
    check_sizes(found.places, {*found.named, *(files or {})}, limit)
    links = {name: end for name, end in found.links.items() if name not in found.places}
    return pack_archive(found.places, links)


def upload_code(
    storage: Storage,
    folder: str,
    archive: Archive,
    *,
    on_send: Callable[[], None] | None = None,
) -> str:
    """Put an archive into a job's folder under its checksum, unless it is there already.

    Args:
        storage: The workspace's storage.
        folder: The job's folder in it.
        archive: What :func:`pack_sources` returned.
        on_send: Called before it is sent, if it has to be; what may pass is tried again.

    Returns:
        Its path below the job's folder, ``code/<sha256>.tar.gz``, as the runtime section names it.

    Raises:
        StorageError: It did not arrive whole.
        OSError: It cannot be written.
    """
    name = f"code/{archive.sha256}.tar.gz"
    path = posixpath.join(folder, name)
    if storage.exists(path) and storage.stat(path).size == archive.size:
        return name
    # Submitting again sends nothing, and the import takes as long as the rest of this.
    from openpai.core.retry import RetryPolicy
    from openpai.core.storage.transfer import Options

    if on_send:
        on_send()
    RetryPolicy(Options.retries).call(lambda: _send(storage, path, archive))
    return name


def _send(storage: Storage, path: str, archive: Archive) -> None:
    with archive.path.open("rb") as packed, storage.open_write(path) as out:
        shutil.copyfileobj(packed, out, 1 << 20)
    arrived = storage.stat(path).size
    if arrived != archive.size:
        raise StorageError(f"{storage.where(path)} has {arrived} bytes, not {archive.size}.")


@dataclass
class _Found:
    """What goes into the archive, and how it is decided.

    Attributes:
        base: The real folder that names are relative to.
        places: Name → file or folder.
        links: Name → what the link leads to.
        named: Names of files that were given themselves.
        top: The work tree that ``base`` lies in, or ``base``.
        tracked: Files that git tracks, and the folders above them, relative to ``base``.
    """

    base: Path
    places: dict[str, Path] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        above = [self.base, *self.base.parents]
        work_tree = next((folder for folder in above if (folder / ".git").exists()), None)
        self.top = work_tree or self.base
        self.tracked = _tracked(self.top, self.base) if work_tree else set()

    def add_files(self, files: Mapping[str, Path]) -> None:
        """Take files under other names than their own."""
        self.places.update(files)
        for name in files:
            self.links.pop(name, None)

    def path(self, place: Path) -> bytes:
        """Return a place relative to the work tree, as rules see it."""
        return os.fsencode(place.relative_to(self.top).as_posix())


def _add_source(found: _Found, source: str) -> None:
    given = Path(os.path.normpath(found.base / source))
    place = Path(os.path.realpath(given.parent)) / given.name if given.name else given
    if place != found.base and found.base not in place.parents:
        raise ConfigError(
            f"The source '{source}' lies outside of {found.base}.",
            "Name sources below the folder that you submit from.",
        )
    if not os.path.lexists(place):
        raise ConfigError(f"There is no source '{source}' in {found.base}.", "Check its name.")
    _inside(found.base, place, source)
    if not place.is_dir():
        name = place.relative_to(found.base).as_posix()
        found.places[name] = place
        found.named.add(name)
    else:
        rules: list[Rule] = []
        for folder in _chain(found.top, place.parent if place != found.top else None):
            rules += _rules_of(found, folder)
        _add_folder(found, place, rules, ignored=False)


def _chain(top: Path, bottom: Path | None) -> Iterator[Path]:
    """Yield the folders from ``top`` down to ``bottom``."""
    if bottom is not None:
        yield top
        for part in bottom.relative_to(top).parts:
            top /= part
            yield top


def _rules_of(found: _Found, folder: Path) -> Iterator[Rule]:
    prefix = b"" if folder == found.top else found.path(folder) + b"/"
    for name in _IGNORE_FILES:
        yield from read_rules(folder / name, prefix)


def _add_folder(found: _Found, folder: Path, rules: Sequence[Rule], *, ignored: bool) -> None:
    """Add what a folder holds; ``ignored`` tells that git takes only what it tracks there."""
    name = folder.relative_to(found.base).as_posix()
    if name != ".":
        found.places[name] = folder
    rules = [*rules, *_rules_of(found, folder)]
    for place in sorted(folder.iterdir()):
        is_dir = place.is_dir() and not place.is_symlink()
        left_out, below_ignored = _judge(found, place, is_dir, rules, ignored)
        if left_out or place.name in _LEFT_OUT or (place / "pyvenv.cfg").is_file():
            continue
        if is_dir:
            _add_folder(found, place, rules, ignored=below_ignored)
        else:
            _add_one(found, place)


def _judge(
    found: _Found, place: Path, is_dir: bool, rules: Sequence[Rule], ignored: bool
) -> tuple[bool, bool]:
    """Return whether a place is left out, and whether git ignores it or a folder above it."""
    path = found.path(place)
    rule = matching_rule(rules, path, is_dir)
    if rule is not None and rule.origin == ".gitignore":
        ignored = ignored or not rule.keeps
    if not ignored:
        return _leaves_out(rule), False
    if place.relative_to(found.base).as_posix() not in found.tracked:
        return True, True
    others = [rule for rule in rules if rule.origin != ".gitignore"]
    return _leaves_out(matching_rule(others, path, is_dir)), True


def _leaves_out(rule: Rule | None) -> bool:
    return rule is not None and not rule.keeps


def _add_one(found: _Found, place: Path) -> None:
    name = place.relative_to(found.base).as_posix()
    if place.is_symlink():
        end = _inside(found.base, place, name)
        found.links[name] = os.path.relpath(end, place.parent)
    else:
        found.places[name] = place


def _inside(base: Path, place: Path, named: str) -> Path:
    """Return where a place really is.

    Raises:
        ConfigError: Links lead out of ``base``.
    """
    end = Path(os.path.realpath(place))
    if end != base and base not in end.parents:
        raise ConfigError(
            f"The link '{named}' leads out of {base}, to {end}.",
            "Leave it out in .opaiignore, or copy what it leads to.",
        )
    return end


def _tracked(work_tree: Path, base: Path) -> set[str]:
    """Return the files below ``base`` that git tracks and their folders; nothing without git.

    Git begins where the work tree does, so that no folder on the way down is a repository to it.
    """
    inside = base.relative_to(work_tree)
    listed = ask_git(work_tree, "--literal-pathspecs", "ls-files", "-z", "--", os.fspath(inside))
    tracked: set[str] = set()
    for name in filter(None, (listed or b"").split(b"\0")):
        path = os.fsdecode(name)
        if inside.parts:
            path = path[len(os.fspath(inside)) + 1 :]
        while path and path not in tracked:
            tracked.add(path)
            path = posixpath.dirname(path)
    return tracked
