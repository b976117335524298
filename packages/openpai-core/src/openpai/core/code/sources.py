"""Select, pack and upload the code of a job.

Excluded are matches of ``.gitignore`` and ``.opaiignore`` files (:mod:`openpai.core.gitignore`),
and version control folders, virtual environments and caches unless they are named themselves.
The lines of ``.opaiignore`` count as the end of the ``.gitignore`` beside it, so that it may also
include files (``!weights.bin``). As in git, ``.gitignore`` does not exclude tracked files. Unlike
git, only ignore files in the work tree count, not the user's own.
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
from openpai.core.git import git_output
from openpai.core.gitignore import Rule, matching_rule, read_rules
from openpai.core.storage import Storage
from openpai.core.units import format_size

__all__ = [
    "MIB",
    "Archive",
    "check_sizes",
    "pack_sources",
    "report_sizes",
    "source_limit",
    "unpack_archive",
    "upload_code",
]


MIB = 1 << 20


#: Bytes of code above which sizes are reported before the upload.
MUCH = 50 * MIB


#: Maximum size of all files together, in multiples of the limit of one.
TOGETHER = 10


def check_sizes(places: Mapping[str, Path], named: Collection[str], limit: int) -> None:
    """Check the sizes of files that are not named themselves, each and together.

    Args:
        places: Name → file or folder.
        named: Names of sources that may have any size.
        limit: Maximum size of a file in bytes.

    Raises:
        ConfigError: The limit is exceeded; the largest files are listed.
    """
    sizes = {
        name: place.stat().st_size
        for name, place in places.items()
        if name not in named and place.is_file()
    }
    hint = (
        "Exclude them in .opaiignore, name them as sources, or raise the limit: "
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
    """Return the default ``source-limit`` in bytes.

    Raises:
        ConfigError: It is not a number of MiB.
    """
    from openpai.core.config import load_defaults

    found = load_defaults().get("source-limit")
    try:
        return int(float(found) * MIB)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError(
            f"Invalid default 'source-limit': '{found}' is not a number of MiB.",
            "Set it: opai set source-limit=100",
        ) from None


def report_sizes(sizes: Mapping[str, int], report: Callable[[str], None]) -> None:
    """Report the total size and the largest files before a large upload."""
    total = sum(sizes.values())
    if total > MUCH:
        report(
            f"Sending {format_size(total)} of code in {len(sizes)} files; "
            f"the largest: {_largest(sizes)}."
        )


def _largest(sizes: Mapping[str, int]) -> str:
    first = sorted(sizes, key=lambda name: (-sizes[name], name))[:5]
    more = len(sizes) - len(first)
    listed = ", ".join(f"{name} ({format_size(sizes[name])})" for name in first)
    return listed + (f" and {more} more" if more else "")


#: Default maximum size in bytes of a file that is not named itself.
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
    """Pack files and folders of ``base`` into a temporary archive.

    A source itself is included even if an ignore file matches it, and links are followed for it.
    Other symbolic links are packed as links to their final targets.

    Args:
        sources: Files and folders, absolute or relative to ``base``.
        base: The folder that names in the archive are relative to.
        files: Name in the archive → file, for further files, which replace sources.
        limit: Maximum size in bytes of a file that is not named itself; ten times as much for all
            of them.

    Raises:
        ConfigError: A source is missing, lies outside of ``base``, or is or holds a link that
            leads out of it; or there are no files; or the limit is exceeded.
        StorageError: A file changed while it was packed, or is neither file nor folder.
        OSError: A file cannot be read, or the archive cannot be written.
    """
    base = Path(os.path.realpath(base))
    found = _Found(base)
    for source in sources:
        _add_source(found, os.fspath(source))
    found.add_files(files or {})
    if not found.places and not found.links:
        raise ConfigError(
            f"There are no files to pack in {base}.", "See .gitignore and .opaiignore there."
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
    """Upload an archive into a job's folder under its checksum, unless it is there.

    Args:
        storage: The workspace's storage.
        folder: The job's folder in it.
        archive: What :func:`pack_sources` returned.
        on_send: Called before the upload, if one is needed.

    Returns:
        Its path below the job's folder, ``code/<sha256>.tar.gz``, as the runtime section names it.

    Raises:
        StorageError: The upload is incomplete.
        OSError: The archive cannot be written.
    """
    name = f"code/{archive.sha256}.tar.gz"
    path = posixpath.join(folder, name)
    if storage.exists(path) and storage.stat(path).size == archive.size:
        return name
    # Slow to import, and not needed when nothing is sent.
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
    """The selected files, and the state of the selection.

    Attributes:
        base: The real folder that names are relative to.
        places: Name → file or folder.
        links: Name → target of the link.
        named: Names of files that are sources themselves.
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
        """Add files under given names."""
        self.places.update(files)
        for name in files:
            self.links.pop(name, None)

    def path(self, place: Path) -> bytes:
        """Return a path relative to the work tree, for rules."""
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
        raise ConfigError(f"Source '{source}' does not exist in {found.base}.", "Check its name.")
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
    """Add the content of a folder; ``ignored``: only tracked files and re-included ones."""
    name = folder.relative_to(found.base).as_posix()
    if name != ".":
        found.places[name] = folder
    rules = [*rules, *_rules_of(found, folder)]
    for place in sorted(folder.iterdir()):
        is_dir = place.is_dir() and not place.is_symlink()
        left_out, below_ignored = _classify(found, place, is_dir, rules, ignored)
        if left_out or place.name in _LEFT_OUT or (place / "pyvenv.cfg").is_file():
            continue
        if is_dir:
            _add_folder(found, place, rules, ignored=below_ignored)
        else:
            _add_one(found, place)


def _classify(
    found: _Found, place: Path, is_dir: bool, rules: Sequence[Rule], ignored: bool
) -> tuple[bool, bool]:
    """Return whether a path is excluded, and whether git ignores it or a folder above it."""
    path = found.path(place)
    rule = matching_rule(rules, path, is_dir)
    if rule is not None and rule.origin == ".gitignore":
        ignored = ignored or not rule.keeps
    if not ignored:
        return _excludes(rule), False
    if place.relative_to(found.base).as_posix() not in found.tracked:
        return True, True
    others = [rule for rule in rules if rule.origin != ".gitignore"]
    return _excludes(matching_rule(others, path, is_dir)), True


def _excludes(rule: Rule | None) -> bool:
    return rule is not None and not rule.keeps


def _add_one(found: _Found, place: Path) -> None:
    name = place.relative_to(found.base).as_posix()
    if place.is_symlink():
        end = _inside(found.base, place, name)
        found.links[name] = os.path.relpath(end, place.parent)
    else:
        found.places[name] = place


def _inside(base: Path, place: Path, named: str) -> Path:
    """Resolve a path.

    Raises:
        ConfigError: Links lead out of ``base``.
    """
    end = Path(os.path.realpath(place))
    if end != base and base not in end.parents:
        raise ConfigError(
            f"The link '{named}' leads out of {base}, to {end}.",
            "Exclude it in .opaiignore, or copy its target.",
        )
    return end


def _tracked(work_tree: Path, base: Path) -> set[str]:
    """Return the files below ``base`` that git tracks, and their folders; empty without git.

    Git runs in the root of the work tree, so that a repository in a folder below is not used.
    """
    inside = base.relative_to(work_tree)
    listed = git_output(work_tree, "--literal-pathspecs", "ls-files", "-z", "--", os.fspath(inside))
    tracked: set[str] = set()
    for name in filter(None, (listed or b"").split(b"\0")):
        path = os.fsdecode(name)
        if inside.parts:
            path = path[len(os.fspath(inside)) + 1 :]
        while path and path not in tracked:
            tracked.add(path)
            path = posixpath.dirname(path)
    return tracked
