"""The one file that travels with a notebook's job and runs it there.

It is an archive that Python executes: this distribution's modules, and the few of openpai-core that
they need and that need nothing themselves. So the image needs neither, and the notebook runs under
the code of the version that submitted it.
"""

from __future__ import annotations

from pathlib import Path

import openpai.core
from openpai.core.zipapp import module_files, write_zipapp

__all__ = ["write_bundle"]

#: What ``openpai.notebook`` uses of openpai-core inside a job.
_CORE = (
    "__about__.py",
    "__init__.py",
    "cgroups.py",
    "environment.py",
    "errors.py",
    "files.py",
    "lazy_imports.py",
    "processes.py",
)


def write_bundle(path: Path) -> None:
    """Write the archive.

    Raises:
        OSError: It cannot be written.
    """
    members = [
        *module_files(Path(openpai.core.__file__).parent, _CORE.__contains__),
        *module_files(Path(__file__).parents[1]),
    ]
    write_zipapp(path, "openpai-notebook", "openpai.notebook.execute.main", members)
