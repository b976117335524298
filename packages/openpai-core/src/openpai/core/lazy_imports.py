"""Packages that import their public names on first use."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # true for type checkers; importing typing would slow every start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


def attach(
    package: str, names: Mapping[str, Sequence[str]]
) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__all__``, ``__getattr__`` and ``__dir__``.

    Args:
        package: The package's ``__name__``.
        names: The public names of each module of the package; of a module without any, the module
            itself is public.
    """
    homes = {name: module for module, row in names.items() for name in row or [module]}
    public = sorted(homes)

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        path = f"{package}.{homes[name]}"
        __import__(path)  # not importlib: python -X importtime shows this one
        module = sys.modules[path]
        value = module if name == homes[name] else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return public, get, lambda: public
