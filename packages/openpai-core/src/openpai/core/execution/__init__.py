"""Execution of tasks: environment, ports, steps, completion; records of jobs and tasks."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.execution.completion import (
        ATTEMPT_OVER as ATTEMPT_OVER,
        STOP_REQUESTED as STOP_REQUESTED,
        FinishedTask as FinishedTask,
        job_outcome as job_outcome,
        should_retry as should_retry,
    )
    from openpai.core.execution.exit_codes import exit_code_table as exit_code_table
    from openpai.core.execution.ports import task_ports as task_ports
    from openpai.core.execution.records import (
        Attempt as Attempt,
        Event as Event,
        Job as Job,
        Task as Task,
    )
    from openpai.core.execution.serializers import (
        NO_TAGS as NO_TAGS,
        encode as encode,
        node_name as node_name,
        summary as summary,
    )
    from openpai.core.execution.task_plan import (
        Limits as Limits,
        Placement as Placement,
        Step as Step,
        TaskPlan as TaskPlan,
        plan_task as plan_task,
        role_ports as role_ports,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "completion": [
                "ATTEMPT_OVER",
                "FinishedTask",
                "STOP_REQUESTED",
                "job_outcome",
                "should_retry",
            ],
            "exit_codes": ["exit_code_table"],
            "ports": ["task_ports"],
            "records": ["Attempt", "Event", "Job", "Task"],
            "serializers": ["NO_TAGS", "encode", "node_name", "summary"],
            "task_plan": ["Limits", "Placement", "Step", "TaskPlan", "plan_task", "role_ports"],
        },
    )
