"""A Jupyter server in the job, with the notebook open in it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from openpai.core.environment import in_local_cluster
from openpai.notebook.errors import KernelError
from openpai.notebook.execute.jupyter_paths import data_of

__all__ = ["serve"]

#: What can serve: the module that is run, its application, its page that shows a notebook.
_SERVERS = (
    ("jupyterlab", "LabApp", "lab/tree"),
    ("notebook", "JupyterNotebookApp", "notebooks"),
)

_PORTS = "PAI_CONTAINER_HOST_jupyter_PORT_LIST"


def serve(notebook: Path) -> NoReturn:
    """Become a Jupyter server on the job's port; its token is in ``JUPYTER_TOKEN``.

    Raises:
        KernelError: The image has no Jupyter server, or the job no port or token for it.
    """
    found = [item for item in _SERVERS if find_spec(item[0]) and find_spec("jupyter_server")]
    if not found:
        raise KernelError(
            "This image has no Jupyter server.",
            "Submit it with the requirement 'jupyterlab', or use an image that has it.",
        )
    port = os.environ.get(_PORTS, "").split(",")[0]
    if not port or not os.environ.get("JUPYTER_TOKEN"):
        raise KernelError("The job has no port or no token for a Jupyter server.")
    module, app, page = found[0]
    # On a laptop nobody else has to reach it; a container is reached through its host.
    address = "127.0.0.1" if in_local_cluster() else "0.0.0.0"  # noqa: S104 - token in force
    command = [sys.executable, "-m", module, "--no-browser", "--allow-root"]
    command += [f"--ip={address}", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--ServerApp.root_dir={Path.cwd()}"]
    command += [f"--{app}.default_url=/{page}/{quote(notebook.as_posix())}"]
    lab = data_of("jupyterlab", "lab")
    if lab:
        os.environ.setdefault("JUPYTERLAB_DIR", str(lab))
    os.execv(command[0], command)  # noqa: S606
