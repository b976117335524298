"""The public names of openpai-core; each is imported when it is first used."""

from openpai.core.__about__ import __version__ as __version__
from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core import errors as errors
    from openpai.core.client import Cluster as Cluster, RemoteJob as RemoteJob
    from openpai.core.environment import (
        TaskContext as TaskContext,
        in_job_container as in_job_container,
    )
    from openpai.core.protocol import Job as Job
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "__about__": ["__version__"],
            "client": ["Cluster", "RemoteJob"],
            "environment": ["TaskContext", "in_job_container"],
            "errors": [],
            "protocol": ["Job"],
        },
    )
