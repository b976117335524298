"""The task's job: configuration, working directory, retry policy."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.job.config import (
        config_path as config_path,
        read_job as read_job,
        usable_section as usable_section,
    )
    from openpai.runtime.job.context import TaskJob as TaskJob, storage_folder as storage_folder
    from openpai.runtime.job.distributed import (
        address as address,
        framework_variables as framework_variables,
        remove_host_file as remove_host_file,
    )
    from openpai.runtime.job.retry_policy import Verdict as Verdict, ask as ask
    from openpai.runtime.job.workdir import surroundings as surroundings
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "config": ["config_path", "read_job", "usable_section"],
            "context": ["TaskJob", "storage_folder"],
            "distributed": ["address", "framework_variables", "remove_host_file"],
            "retry_policy": ["Verdict", "ask"],
            "workdir": ["surroundings"],
        },
    )
