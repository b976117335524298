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
    from openpai.cli.framework.errors import ErrorReport as ErrorReport, report_for as report_for
    from openpai.cli.framework.follow import (
        end_sentence as end_sentence,
        exit_code_of as exit_code_of,
        following as following,
        following_job as following_job,
        next_commands as next_commands,
        running_time as running_time,
    )
    from openpai.cli.framework.groups import (
        LazyCommand as LazyCommand,
        LazyGroup as LazyGroup,
        command as command,
        lazy_commands as lazy_commands,
        unknown as unknown,
    )
    from openpai.cli.framework.options import (
        jobs_argument as jobs_argument,
        parallel_option as parallel_option,
        point_in_time as point_in_time,
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
            "errors": ["ErrorReport", "report_for"],
            "follow": [
                "end_sentence",
                "exit_code_of",
                "following",
                "following_job",
                "next_commands",
                "running_time",
            ],
            "groups": ["LazyCommand", "LazyGroup", "command", "lazy_commands", "unknown"],
            "options": [
                "jobs_argument",
                "parallel_option",
                "point_in_time",
                "state_option",
                "timeout_option",
                "yes_option",
            ],
        },
    )
