"""Save the job's outputs."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.outputs.manifest import Ended as Ended
    from openpai.runtime.outputs.uploader import PAUSES as PAUSES, Saver as Saver
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "manifest": ["Ended"],
            "uploader": ["PAUSES", "Saver"],
        },
    )
