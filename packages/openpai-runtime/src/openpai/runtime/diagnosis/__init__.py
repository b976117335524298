"""Diagnose why the command failed."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.diagnosis.failure import (
        Diagnosis as Diagnosis,
        as_text as as_text,
        log_tail as log_tail,
    )
    from openpai.runtime.diagnosis.gpu import gpu_faults as gpu_faults
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "failure": ["Diagnosis", "as_text", "log_tail"],
            "gpu": ["gpu_faults"],
        },
    )
