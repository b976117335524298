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
        complete_clusters as complete_clusters,
        complete_default_keys as complete_default_keys,
        complete_files as complete_files,
        complete_jobs as complete_jobs,
        complete_outputs as complete_outputs,
        complete_remote_paths as complete_remote_paths,
        complete_states as complete_states,
        complete_storages as complete_storages,
        complete_sweeps as complete_sweeps,
    )
    from openpai.core.cli.job_options import build_spec as build_spec, spec_options as spec_options
    from openpai.core.cli.options import (
        EXISTING_FILE as EXISTING_FILE,
        FORMATS as FORMATS,
        LOCAL_FILE as LOCAL_FILE,
        LOCAL_PATH as LOCAL_PATH,
        cluster_option as cluster_option,
        format_option as format_option,
        job_argument as job_argument,
        mebibytes as mebibytes,
        overwrite_option as overwrite_option,
        seconds as seconds,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "app": ["App", "Column", "Row", "current_app"],
            "command": ["CONTEXT_SETTINGS", "Command"],
            "completion": [
                "complete_clusters",
                "complete_default_keys",
                "complete_files",
                "complete_jobs",
                "complete_outputs",
                "complete_remote_paths",
                "complete_states",
                "complete_storages",
                "complete_sweeps",
            ],
            "job_options": ["build_spec", "spec_options"],
            "options": [
                "EXISTING_FILE",
                "FORMATS",
                "LOCAL_FILE",
                "LOCAL_PATH",
                "cluster_option",
                "format_option",
                "job_argument",
                "mebibytes",
                "overwrite_option",
                "seconds",
            ],
        },
    )
