"""Runs inside a job container: fetches code, passes signals on, saves outputs.

The public names are imported when they are first used, because every task waits for this module.
"""

from openpai.core.lazy_imports import attach
from openpai.runtime.__about__ import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.runtime.api import Runtime as Runtime
    from openpai.runtime.events import Event as Event
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {"__about__": ["__version__"], "api": ["Runtime"], "events": ["Event"]},
    )
