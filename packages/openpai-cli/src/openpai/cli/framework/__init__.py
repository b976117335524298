"""The application behind the commands: options, groups, errors, completion."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.cli.framework.admin import (
        ONLY_ADMINS as ONLY_ADMINS,
        delete_each as delete_each,
        explained as explained,
        new_password as new_password,
        typed_password as typed_password,
    )
    from openpai.cli.framework.app import CliApp as CliApp, pass_app as pass_app
    from openpai.cli.framework.completion import complete as complete
    from openpai.cli.framework.errors import Failure as Failure, explain as explain
    from openpai.cli.framework.follow import (
        exit_code_of as exit_code_of,
        followed as followed,
        how_it_ended as how_it_ended,
        in_sight as in_sight,
        running_time as running_time,
        ways_back as ways_back,
    )
    from openpai.cli.framework.groups import (
        Lazy as Lazy,
        LazyGroup as LazyGroup,
        command as command,
        unknown as unknown,
    )
    from openpai.cli.framework.options import (
        cluster_option as cluster_option,
        format_option as format_option,
        job_argument as job_argument,
        jobs_argument as jobs_argument,
        mebibytes as mebibytes,
        moment as moment,
        parallel_option as parallel_option,
        seconds as seconds,
        state_option as state_option,
        timeout_option as timeout_option,
        yes_option as yes_option,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "admin": ["ONLY_ADMINS", "delete_each", "explained", "new_password", "typed_password"],
            "app": ["CliApp", "pass_app"],
            "completion": ["complete"],
            "errors": ["Failure", "explain"],
            "follow": [
                "exit_code_of",
                "followed",
                "how_it_ended",
                "in_sight",
                "running_time",
                "ways_back",
            ],
            "groups": ["Lazy", "LazyGroup", "command", "unknown"],
            "options": [
                "cluster_option",
                "format_option",
                "job_argument",
                "jobs_argument",
                "mebibytes",
                "moment",
                "parallel_option",
                "seconds",
                "state_option",
                "timeout_option",
                "yes_option",
            ],
        },
    )
