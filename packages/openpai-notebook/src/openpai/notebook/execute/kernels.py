"""Select the kernel that runs a notebook in this image."""

from __future__ import annotations

from jupyter_client.kernelspec import KernelSpecManager

from openpai.notebook.errors import KernelError
from openpai.notebook.execute.log import Log
from openpai.notebook.formats import Notebook, language

__all__ = ["choose_kernel"]


def choose_kernel(notebook: Notebook, asked: str | None, log: Log) -> str:
    """Return the name of an installed kernel.

    A Python notebook whose own kernel is a name of its author's machine (an environment, say) runs
    in the image's Python; every other language needs its kernel by name.

    Raises:
        KernelError: There is none that can run it.
    """
    installed = sorted(KernelSpecManager().find_kernel_specs())
    kernelspec = notebook["metadata"].get("kernelspec") or {}
    wanted = asked or kernelspec.get("name") or "python3"
    if wanted in installed:
        return str(wanted)
    if not asked and language(notebook) == "python" and "python3" in installed:
        log.note(f"there is no kernel '{wanted}' here; the notebook runs in 'python3'.")
        return "python3"
    if not installed:
        raise KernelError(
            f"The notebook wants the kernel '{wanted}', and this image has no Jupyter kernel.",
            "Submit it with the requirement 'ipykernel', or use an image that has one.",
        )
    raise KernelError(
        f"The notebook wants the kernel '{wanted}'; this image has: {', '.join(installed)}.",
        "Use an image that has it, or name one of these kernels.",
    )
