"""Save the job's outputs."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.outputs.manifest import TaskResult as TaskResult
    from openpai.runtime.outputs.uploader import PAUSES as PAUSES, OutputUploader as OutputUploader
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "manifest": ["TaskResult"],
            "uploader": ["OutputUploader", "PAUSES"],
        },
    )
