"""TensorBoard in the first task of the first role."""

from __future__ import annotations

from typing import Mapping

from openpai.core.errors import OpenPaiError
from openpai.core.protocol import Tensorboard
from openpai.runtime.job import TaskJob, address
from openpai.runtime.setup.requirements import python_of

__all__ = ["tensorboard_command"]


def tensorboard_command(
    job: TaskJob, wanted: Tensorboard, environ: Mapping[str, str]
) -> list[str] | None:
    """Return the command; ``None`` for other tasks.

    Raises:
        OpenPaiError: The task has no port of the label.
    """
    if job.context.index or job.context.role != next(iter(job.instances), job.context.role):
        return None
    try:
        _, port = address(job, job.context.role, 0, wanted.port)
    except OpenPaiError:
        raise OpenPaiError(
            f"TensorBoard is not started: this task has no port '{wanted.port}'."
        ) from None
    module = [python_of(environ), "-m", "tensorboard.main"]
    return [*module, "--logdir", wanted.logdir, "--host", "0.0.0.0", "--port", port]  # noqa: S104
