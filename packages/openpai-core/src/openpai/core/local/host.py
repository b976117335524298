"""A service behind an HTTP server, with the state folder held."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openpai.core.errors import ConfigError

if TYPE_CHECKING:
    from openpai.core.local.faults import Faults
    from openpai.core.local.options import Options
    from openpai.core.local.state.clock import Clock
    from openpai.core.local.state.state_dir import StateDir

__all__ = ["Host"]


class Host:
    """The service and its HTTP server in this process.

    Args:
        folder: The state folder.
        options: The cluster's options.
        port: The port; 0 means any that is free.
        clock: The cluster's clock.
        faults: Faults to inject into requests.

    Raises:
        OpenPaiError: The folder is held or cannot be used, the port is in use, werkzeug or bash
            are missing.
    """

    def __init__(
        self,
        folder: StateDir,
        options: Options,
        port: int = 0,
        clock: Clock | None = None,
        faults: Faults | None = None,
    ) -> None:
        try:
            from openpai.core.local.api.app import create_app
        except ImportError as error:
            raise ConfigError(
                f"The local cluster needs a package that is not installed: {error.name}.",
                "Run: pip install 'openpai-core[local]'",
            ) from error
        from openpai.core.local.api.server import Server
        from openpai.core.local.service import Service

        folder.create()
        folder.hold()
        try:
            self.folder = folder
            self.service = Service(folder, options, clock)
            try:
                app = create_app(self.service)
                self.server = Server(faults.wrap(app) if faults else app, port)
            except ConfigError:
                self.service.close()
                raise
            self.service.start(self.server.uri)
        except BaseException:
            folder.release()
            raise

    def serve(self) -> None:
        """Answer requests until :meth:`shutdown`."""
        self.server.serve()

    def end_jobs(self, timeout: float = 60.0) -> bool:
        """Stop every job; return whether all have ended within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        self.service.controller.stop_all()
        while self.service.controller.is_busy and time.monotonic() < deadline:
            time.sleep(0.005)
        return not self.service.controller.is_busy

    def shutdown(self) -> None:
        """Stop the server; running tasks keep running."""
        self.server.end()
        self.service.stop()
        self.folder.release()
