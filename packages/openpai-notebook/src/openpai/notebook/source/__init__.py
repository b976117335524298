"""The notebook to submit: where it lies, which cells and packages it needs."""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.notebook.source.colab import (
        in_colab as in_colab,
        notebook_of_the_page as notebook_of_the_page,
    )
    from openpai.notebook.source.find_notebook import (
        calling_notebook as calling_notebook,
        in_notebook as in_notebook,
        running_cells as running_cells,
    )
    from openpai.notebook.source.pip_freeze import with_frozen as with_frozen
    from openpai.notebook.source.skip_cells import submitting_cells as submitting_cells
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "colab": ["in_colab", "notebook_of_the_page"],
            "find_notebook": ["calling_notebook", "in_notebook", "running_cells"],
            "pip_freeze": ["with_frozen"],
            "skip_cells": ["submitting_cells"],
        },
    )
