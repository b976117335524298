"""Events of the task and their callbacks."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.events.background import BackgroundWork as BackgroundWork
    from openpai.runtime.events.callbacks import Callbacks as Callbacks
    from openpai.runtime.events.event import Event as Event, matches as matches
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
            "background": ["BackgroundWork"],
            "callbacks": ["Callbacks"],
            "event": ["Event", "matches"],
            "handlers": ["Handler", "Handlers", "conditions", "duration"],
        },
    )
