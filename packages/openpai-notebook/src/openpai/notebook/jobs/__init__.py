"""Jobs of notebooks: description, submission, results, servers."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.notebook.jobs.job import NotebookJob as NotebookJob
    from openpai.notebook.jobs.job_spec import (
        Description as Description,
        Request as Request,
        describe as describe,
    )
    from openpai.notebook.jobs.submission import make_request as make_request, send as send
    from openpai.notebook.jobs.sweep import (
        NotebookSweep as NotebookSweep,
        sweep_notebook as sweep_notebook,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "job": ["NotebookJob"],
            "job_spec": ["Description", "Request", "describe"],
            "submission": ["make_request", "send"],
            "sweep": ["NotebookSweep", "sweep_notebook"],
        },
    )
