"""Sweeps: parameters, submission with a limit, results."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.sweeps.parameters import (
        SWEEPS_GROUP as SWEEPS_GROUP,
        SweepPlan as SweepPlan,
        grid as grid,
        sample as sample,
        sweep_jobs as sweep_jobs,
        try_name as try_name,
        zipped as zipped,
    )
    from openpai.core.sweeps.results import (
        FileMetric as FileMetric,
        LogMetric as LogMetric,
        Metric as Metric,
        Result as Result,
        collect_results as collect_results,
        results_of as results_of,
    )
    from openpai.core.sweeps.state import recorded_sweeps as recorded_sweeps
    from openpai.core.sweeps.sweep import (
        Sweep as Sweep,
        SweepJob as SweepJob,
        all_sweeps as all_sweeps,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "parameters": [
                "SWEEPS_GROUP",
                "SweepPlan",
                "grid",
                "sample",
                "sweep_jobs",
                "try_name",
                "zipped",
            ],
            "results": [
                "FileMetric",
                "LogMetric",
                "Metric",
                "Result",
                "collect_results",
                "results_of",
            ],
            "state": ["recorded_sweeps"],
            "sweep": ["Sweep", "SweepJob", "all_sweeps"],
        },
    )
