"""Shared by the commands of all distributions: the interface of ``opai``, help, completion."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.cli.app import (
        App as App,
        Column as Column,
        Row as Row,
        current_app as current_app,
    )
    from openpai.core.cli.command import CONTEXT_SETTINGS as CONTEXT_SETTINGS, Command as Command
    from openpai.core.cli.completion import (
        clusters as clusters,
        jobs as jobs,
        outputs as outputs,
        remote_paths as remote_paths,
        storages as storages,
        sweeps as sweeps,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "app": ["App", "Column", "Row", "current_app"],
            "command": ["CONTEXT_SETTINGS", "Command"],
            "completion": ["clusters", "jobs", "outputs", "remote_paths", "storages", "sweeps"],
        },
    )
