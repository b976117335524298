"""Jobs of notebooks: description, submission, results, servers."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.notebook.jobs.description import Description as Description, describe as describe
    from openpai.notebook.jobs.job import NotebookJob as NotebookJob
    from openpai.notebook.jobs.job_spec import (
        NotebookJobSpec as NotebookJobSpec,
        NotebookOptions as NotebookOptions,
    )
    from openpai.notebook.jobs.submission import (
        complete_spec as complete_spec,
        notebook_spec as notebook_spec,
        send as send,
    )
    from openpai.notebook.jobs.sweep import (
        NotebookSweep as NotebookSweep,
        sweep_notebook as sweep_notebook,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "description": ["Description", "describe"],
            "job": ["NotebookJob"],
            "job_spec": ["NotebookJobSpec", "NotebookOptions"],
            "submission": ["complete_spec", "notebook_spec", "send"],
            "sweep": ["NotebookSweep", "sweep_notebook"],
        },
    )
