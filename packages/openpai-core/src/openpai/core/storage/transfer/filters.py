"""Filters of a transfer: patterns and ignore files."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Sequence

from openpai.core.gitignore import Rule, matching_rule, parse_rules
from openpai.core.storage.base import Entry, Storage

__all__ = ["Selection"]


def rules_of(patterns: Sequence[str]) -> tuple[Rule, ...]:
    """Read patterns of the command line, each a line of an ignore file at the root."""
    return tuple(
        rule for text in patterns for rule in parse_rules(os.fsencode(text), "the command line")
    )


@dataclass(frozen=True)
class Selection:
    """Selection of files of a tree.

    Attributes:
        include: Only files that one of these rules matches, themselves or a folder above them; all
            where there are none.
        exclude: What the last matching rule leaves out, with all below it.
        ignore_files: Names of ignore files to honour in every folder of the source.
        found: The rules that ignore files gave so far.
        included: Whether a folder above was included.
    """

    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    ignore_files: tuple[str, ...] = ()
    found: tuple[Rule, ...] = ()
    included: bool = False

    @classmethod
    def of(
        cls,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        ignore_files: Sequence[str] = (),
    ) -> Selection:
        """Read patterns as git reads the lines of an ignore file at the root of the tree."""
        return cls(rules_of(include), rules_of(exclude), tuple(ignore_files))

    @property
    def takes_all(self) -> bool:
        """Whether nothing is ever left out."""
        return not (self.include or self.exclude or self.ignore_files)

    def takes(self, path: str, *, is_dir: bool) -> bool:
        """Whether a file is taken, or a folder entered; ``path`` is relative to the root."""
        if self.takes_all:
            return True
        name = os.fsencode(path)
        for rules in (self.exclude, self.found):
            rule = matching_rule(rules, name, is_dir)
            if rule is not None and not rule.keeps:
                return False
        return is_dir or not self.include or self.included or self._includes(name, is_dir=False)

    def below(self, path: str, folder: Entry, source: Storage) -> Selection:
        """Return the selection inside of a folder that was entered.

        Raises:
            OSError: An ignore file cannot be read.
        """
        if self.takes_all:
            return self
        name = os.fsencode(path)
        included = self.included or bool(
            path and self.include and self._includes(name, is_dir=True)
        )
        found = list(self.found)
        for ignore_file in self.ignore_files:
            place = f"{folder.path.rstrip('/')}/{ignore_file}"
            try:
                with source.open_read(place) as stream:
                    content = stream.read(1 << 20)
            except (FileNotFoundError, IsADirectoryError):
                continue
            found += parse_rules(content, ignore_file, name + b"/" if name else b"")
        return replace(self, included=included, found=tuple(found))

    def _includes(self, name: bytes, *, is_dir: bool) -> bool:
        rule = matching_rule(self.include, name, is_dir)
        return rule is not None and not rule.keeps
