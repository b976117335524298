"""Find the notebook that code runs in: its file, and the cell that is running.

A kernel does not know which notebook it serves. The Jupyter server that started it does, and it is
found by the files that running servers leave beside the kernel's own connection file; the kernel's
id then names the session. VS Code sets a variable in the kernel.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterator
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from openpai.notebook.errors import NotebookError
from openpai.notebook.formats import Notebook, code_cells

__all__ = ["calling_notebook", "in_notebook", "running_cells"]

_TIMEOUT = 5.0
_VS_CODE = "__vsc_ipynb_file__"


def calling_notebook() -> Path:
    """Return the file of the notebook whose cell is running.

    If the file is unknown, the user is asked.

    Raises:
        NotebookError: This is not a notebook, or its file is unknown.
    """
    shell = _shell()
    if not in_notebook():
        raise NotebookError(
            "This does not run in a notebook, so there is none to submit.",
            "Name the file: submit_notebook('NAME.ipynb').",
        )
    named = shell.user_ns.get(_VS_CODE)
    if isinstance(named, str) and Path(named).is_file():
        return Path(named)
    for path in (*_from_servers(), *_from_environment()):
        if path.is_file():
            return path
    return _asked()


def _asked() -> Path:
    """Ask for the file, where the front end lets a cell ask."""
    from IPython.core.error import StdinNotImplementedError

    with suppress(StdinNotImplementedError, EOFError):
        named = Path(input("In which file is this notebook kept? ").strip()).expanduser()
        if named.is_file():
            return named
    raise NotebookError(
        "It cannot be found out in which file this notebook is kept.",
        "Name it: submit_notebook('NAME.ipynb').",
    )


def in_notebook() -> bool:
    """Whether this runs in a kernel, and not in a script, in Python's shell or in IPython's."""
    return hasattr(_shell(), "kernel")


def running_cells(notebook: Notebook, path: Path) -> list[int]:
    """Return the indices of the cells with the source that is running now.

    Raises:
        NotebookError: The file has no such cell: what runs was not saved.
    """
    shell = _shell()
    source = shell.history_manager.input_hist_raw[-1].strip() if shell else ""
    found = [index for index, cell in code_cells(notebook) if cell["source"].strip() == source]
    if not found:
        raise NotebookError(
            f"The cell that runs is not in '{path}' as it is saved.",
            "Save the notebook (Ctrl+S), then run the cell again.",
        )
    return found


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _from_environment() -> Iterator[Path]:
    """Yield the path that the server gave the kernel at its start, without later renames."""
    named = os.environ.get("JPY_SESSION_NAME", "")
    if named.endswith(".ipynb"):
        yield Path(named)


def _from_servers() -> Iterator[Path]:
    """Yield the file that a running server of this user names for this kernel."""
    from ipykernel.connect import get_connection_file

    connection = Path(get_connection_file())
    match = re.fullmatch(r"kernel-(.+)\.json", connection.name)
    if match is None:
        return
    for file in _server_files(connection.parent):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            sessions = _sessions(server)
        except (OSError, ValueError, KeyError):
            continue  # a server that ended without cleaning up, or is not ours to ask
        for session in sessions:
            if session.get("kernel", {}).get("id") == match[1]:
                yield _path(server, session)


def _server_files(folder: Path) -> list[Path]:
    """Return the files of running servers, the newest first."""
    files = [*folder.glob("jpserver-*.json"), *folder.glob("nbserver-*.json")]
    return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)


def _sessions(server: dict[str, Any]) -> list[dict[str, Any]]:
    token = server.get("token") or os.environ.get("JUPYTERHUB_API_TOKEN", "")
    request = Request(server["url"] + "api/sessions")  # noqa: S310 - a server file holds its URL
    if token:
        request.add_header("Authorization", f"token {token}")
    # The server is this machine's own: no proxy leads to it, and its certificate is home-made.
    trusting = ssl._create_unverified_context()  # noqa: S323
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusting))
    with opener.open(request, timeout=_TIMEOUT) as answer:
        found = json.load(answer)
    return found if isinstance(found, list) else []


def _path(server: dict[str, Any], session: dict[str, Any]) -> Path:
    """Return the file of a session; in shared editing its name has a prefix."""
    root = server.get("root_dir") or server.get("notebook_dir") or "."
    named = session.get("path") or session.get("notebook", {}).get("path", "")
    return Path(root) / str(named).removeprefix("RTC:")
