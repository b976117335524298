"""Hold the mark ``process``: only tests that bear it may start a process.

``test:unit``, ``test:quick`` and the matrix of Pythons leave these tests out, so a test that starts
processes without the mark would make them slow unseen.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

_EVENTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system"})
#: What libraries run when they are first imported, whichever test that is.
_OF_LIBRARIES = frozenset({"cc", "fc-list", "gcc", "ld", "ldconfig", "objdump"})

_started: list[str] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _EVENTS and threading.current_thread() is threading.main_thread():
        program = str(arguments[0]) if arguments else event
        if Path(program).name not in _OF_LIBRARIES:
            _started.append(program)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark and watch for processes."""
    config.addinivalue_line("markers", "process: starts a process (a server, a kernel, a command)")
    sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _process_mark(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test without the mark that started a process itself."""
    marked = request.node.get_closest_marker("process") is not None
    _started.clear()
    yield
    if _started and not marked:
        pytest.fail(f"starts {_started[0]}: mark it with pytest.mark.process", pytrace=False)
