"""The server's own process: ``python -m openpai.core.local --folder F``; see :mod:`.daemon`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from typing import Any

from openpai.core.errors import OpenPaiError
from openpai.core.files import write_private
from openpai.core.local.host import Host
from openpai.core.local.options import make_options
from openpai.core.local.state.state_dir import StateDir, default_folder


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    arguments = _arguments()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    folder = StateDir(arguments.folder)
    try:
        host = Host(folder, make_options(json.loads(arguments.options)), arguments.port)
    except OpenPaiError as error:
        _report(arguments.ready_fd, {"error": error.message, "hint": error.hint})
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end(host))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    running = {
        "uri": host.server.uri,
        "pid": os.getpid(),
        "user": host.service.user,
        "engine": host.service.options.engine,
    }
    write_private(folder.server, json.dumps(running))
    logging.info("serving %s", host.server.uri)
    _report(arguments.ready_fd, running)
    host.serve()
    host.shutdown()
    logging.info("stopped; running tasks keep running")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m openpai.core.local")
    parser.add_argument("--folder", default=str(default_folder()))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--options", default="{}", help="JSON of openpai.core.local.options.Options"
    )
    parser.add_argument("--ready-fd", type=int, help="where to write one line of JSON when ready")
    return parser.parse_args()


def _report(handle: int | None, content: dict[str, Any]) -> None:
    """Report to the parent process that the server is ready, or its error."""
    if handle is None:
        if "error" in content:
            sys.stderr.write(f"{content['error']} {content['hint']}\n")
        return
    with os.fdopen(handle, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps(content))


def _end(host: Host) -> None:
    import threading

    threading.Thread(target=host.server.end, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
