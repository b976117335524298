"""One local cluster without its HTTP server: records, controller, tokens, storages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

from openpai.core.files import write_private
from openpai.core.local.executor.engines import make_engine
from openpai.core.local.executor.launcher import Bounds, Launcher
from openpai.core.local.options import Options
from openpai.core.local.scheduler.active_jobs import ActiveJobs
from openpai.core.local.scheduler.controller import Controller
from openpai.core.local.scheduler.placement import Placement
from openpai.core.local.scheduler.wakeup import WakeupPipe
from openpai.core.local.state import accounts
from openpai.core.local.state.clock import Clock
from openpai.core.local.state.machine import machine_resources
from openpai.core.local.state.models import User
from openpai.core.local.state.state_dir import StateDir
from openpai.core.local.state.store import Store
from openpai.core.local.state.tokens import TokenStore

__all__ = ["STORAGE", "Service"]

#: Name of the storage of every local cluster.
STORAGE = "local-storage"


class Service:
    """A cluster that runs jobs, without its HTTP server.

    Args:
        folder: The state folder, created and held.
        options: Its options.
        clock: Its clock.
    """

    def __init__(self, folder: StateDir, options: Options, clock: Clock | None = None) -> None:
        self.folder = folder
        self.options = options
        self.clock = clock or Clock()
        self.user = options.user or accounts.login_name()
        engine = make_engine(options.engine)
        engine.open(folder.path)
        self.store = Store(folder.database)
        self._wakeup = WakeupPipe(folder.wakeup)
        self.launcher = Launcher(
            folder.jobs,
            folder.wakeup,
            engine,
            grace=options.grace,
            log_limit=options.log_limit,
            bounds=Bounds(options.memory_limits, options.process_limit),
        )
        active_jobs = ActiveJobs(self.store, self.clock, engine.warning)
        placement = Placement(
            active_jobs,
            self.launcher,
            total=machine_resources(
                cpus=options.cpus, memory_mb=options.memory_mb, gpus=options.gpus
            ),
            quotas=options.virtual_clusters,
            storages=self.storages_of,
            work=options.work_folder,
        )
        self.controller = Controller(
            active_jobs, placement, self.launcher, self._wakeup, self.clock
        )
        self.tokens = TokenStore(self.store, folder.secret("key"), self.clock)
        self._prepare()

    def _prepare(self) -> None:
        accounts.create_defaults(
            self.store,
            self.user,
            self.folder.secret("password"),
            self.virtual_clusters,
            [*self.storages, *self.storages_elsewhere],
        )
        if self.tokens.claims(self.token) is None:
            token = self.tokens.issue(self.user, application=True)
            write_private(self.folder.path / "token", token)

    @property
    def token(self) -> str:
        """An application token of the first user, kept in the state folder."""
        return self.folder.secret("token")

    @property
    def virtual_clusters(self) -> list[str]:
        """The names of all virtual clusters."""
        return ["default", *(name for name in self.options.virtual_clusters if name != "default")]

    @property
    def storages(self) -> dict[str, Path]:
        """The storages that are folders of this machine, by name."""
        given = self.options.storages.items()
        more = {name: Path(folder) for name, folder in given if isinstance(folder, str)}
        return {STORAGE: self.folder.storage, **more}

    @property
    def storages_elsewhere(self) -> dict[str, Mapping[str, Any]]:
        """Type and data of the storages that are not folders of this machine, by name."""
        given = self.options.storages.items()
        return {name: config for name, config in given if not isinstance(config, str)}

    def storages_of(self, name: str) -> dict[str, Path]:
        """Return the folders of the storages that a user may use, by name."""
        user = self.store.one(User, "name = ?", (name,))
        granted = self.rights(user).storages if user else ()
        return {name: folder for name, folder in self.storages.items() if name in granted}

    def rights(self, user: User) -> accounts.Rights:
        """Return what a user may do and use."""
        return accounts.rights(self.store, user, self.virtual_clusters)

    def start(self, uri: str) -> None:
        """Start to run jobs; ``uri`` is the cluster's address for their tasks."""
        self.controller.start(uri)

    def stop(self) -> None:
        """Stop; running tasks keep running and are found by the next start."""
        self.controller.stop()
        self.close()

    def close(self) -> None:
        """Close the files of a service that was never started."""
        self._wakeup.close()
        self.store.close()
