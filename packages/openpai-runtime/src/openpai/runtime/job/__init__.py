"""The task's job: configuration, working directory, retry policy."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.job.config import (
        config_path as config_path,
        read_job as read_job,
        valid_section as valid_section,
    )
    from openpai.runtime.job.context import TaskJob as TaskJob, storage_folder as storage_folder
    from openpai.runtime.job.distributed import (
        address as address,
        framework_variables as framework_variables,
        remove_host_file as remove_host_file,
    )
    from openpai.runtime.job.retry_policy import (
        RetryDecision as RetryDecision,
        request_retry as request_retry,
    )
    from openpai.runtime.job.workdir import prepare_workdir as prepare_workdir
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "config": ["config_path", "read_job", "valid_section"],
            "context": ["TaskJob", "storage_folder"],
            "distributed": ["address", "framework_variables", "remove_host_file"],
            "retry_policy": ["RetryDecision", "request_retry"],
            "workdir": ["prepare_workdir"],
        },
    )
