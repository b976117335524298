"""Events of the task and their callbacks."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.events.background import Meanwhile as Meanwhile
    from openpai.runtime.events.callbacks import Callbacks as Callbacks
    from openpai.runtime.events.event import Event as Event, meets as meets
    from openpai.runtime.events.handlers import (
        Handler as Handler,
        Handlers as Handlers,
        conditions as conditions,
        duration as duration,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "background": ["Meanwhile"],
            "callbacks": ["Callbacks"],
            "event": ["Event", "meets"],
            "handlers": ["Handler", "Handlers", "conditions", "duration"],
        },
    )
