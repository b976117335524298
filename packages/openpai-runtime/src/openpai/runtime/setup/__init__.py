"""Preparation of a task: mounts, code, requirements, ssh, barrier."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.setup.preparation import Preparation as Preparation
    from openpai.runtime.setup.requirements import python_of as python_of
    from openpai.runtime.setup.steps import describe_goals as describe_goals
    from openpai.runtime.setup.tensorboard import tensorboard_command as tensorboard_command
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "preparation": ["Preparation"],
            "requirements": ["python_of"],
            "steps": ["describe_goals"],
            "tensorboard": ["tensorboard_command"],
        },
    )
