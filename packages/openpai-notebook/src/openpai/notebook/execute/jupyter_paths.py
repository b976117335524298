"""Data folders of installed Jupyter packages, also of another environment.

A job with requirements runs in a virtual environment that sees the image's packages. What looks for
its data below ``sys.prefix``, as Jupyter does, would look in that environment and not in the image.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["data_of"]


def data_of(package: str, *parts: str) -> Path | None:
    """Return ``<prefix>/share/jupyter/<parts>`` of the installation that a package belongs to.

    ``None`` where there is no such folder, or no such package.
    """
    spec = find_spec(package)
    if spec is None or not spec.origin:
        return None
    # <prefix>/lib/python3.x/site-packages/<package>/__init__.py
    above = Path(spec.origin).parents
    folder = above[4].joinpath("share", "jupyter", *parts) if len(above) > 4 else None
    return folder if folder and folder.is_dir() else None
