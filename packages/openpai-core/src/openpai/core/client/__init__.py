"""The client: ``Cluster``, ``RemoteJob``, submission, logs, diagnosis."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.client.batch import (
        Outcome as Outcome,
        select_jobs as select_jobs,
        stop_jobs as stop_jobs,
        submit_all as submit_all,
    )
    from openpai.core.client.browser_login import BrowserLogin as BrowserLogin
    from openpai.core.client.cluster import Cluster as Cluster
    from openpai.core.client.diagnosis import (
        failure_lines as failure_lines,
        failure_record as failure_record,
    )
    from openpai.core.client.discovery import Found as Found, discover as discover
    from openpai.core.client.logs import LogLine as LogLine
    from openpai.core.client.prepare import (
        NO_EXTRAS as NO_EXTRAS,
        Extras as Extras,
        copy_of as copy_of,
        needs_preparation as needs_preparation,
        prepare_job as prepare_job,
        prepare_once as prepare_once,
    )
    from openpai.core.client.remote_job import RemoteJob as RemoteJob
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "batch": ["Outcome", "select_jobs", "stop_jobs", "submit_all"],
            "browser_login": ["BrowserLogin"],
            "cluster": ["Cluster"],
            "diagnosis": ["failure_lines", "failure_record"],
            "discovery": ["Found", "discover"],
            "logs": ["LogLine"],
            "prepare": [
                "Extras",
                "NO_EXTRAS",
                "copy_of",
                "needs_preparation",
                "prepare_job",
                "prepare_once",
            ],
            "remote_job": ["RemoteJob"],
        },
    )
