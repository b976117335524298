"""Magics and displays in a notebook."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.notebook.ipython.display import register as register
    from openpai.notebook.ipython.live_view import watch as watch
    from openpai.notebook.ipython.magics import OpaiMagics as OpaiMagics
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "display": ["register"],
            "live_view": ["watch"],
            "magics": ["OpaiMagics"],
        },
    )
