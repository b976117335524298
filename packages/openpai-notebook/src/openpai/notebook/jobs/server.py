"""The Jupyter server of an interactive job: its token, and its address once it answers.

The cluster masks the secrets of a job, so only who submitted it can know the token: it is kept in a
file of the user's configuration that nobody else may read.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from openpai.core.config import read_yaml, update_yaml
from openpai.core.errors import OpenPaiError, WaitTimeout
from openpai.core.paths import home
from openpai.core.retry import Backoff
from openpai.notebook.errors import NotebookError

if TYPE_CHECKING:
    from openpai.core.client import RemoteJob
    from openpai.core.rest import JobDetail

__all__ = ["PORT", "keep_token", "server_url"]

#: The label of the server's port in the job.
PORT = "jupyter"

_KEPT = 200  # tokens; the oldest is forgotten


def _file() -> Path:
    return home() / "notebook-tokens.yaml"


def _key(job: RemoteJob) -> str:
    return f"{job.cluster.uri} {job.key}"


def keep_token(job: RemoteJob, token: str) -> None:
    """Remember the token of a job's server.

    Raises:
        ConfigError: The file of tokens cannot be read or written.
    """

    def change(tokens: dict[str, str]) -> dict[str, str]:
        tokens.pop(_key(job), None)
        return dict([*tokens.items(), (_key(job), token)][-_KEPT:])

    update_yaml(_file(), dict, change, mode=0o600)


def server_url(job: RemoteJob, *, timeout: float | None = None, poll: float = 1.0) -> str:
    """Return the address of a job's Jupyter server, with its token, once it really answers.

    Args:
        job: An interactive job that was submitted from this machine.
        timeout: Seconds to wait at most; ``None``: as long as the job may still start.
        poll: Seconds between two tries.

    Raises:
        NotebookError: The token is not known here, or the job ended before its server answered.
        WaitTimeout: The time ran out.
        OpenPaiError: The cluster could not be asked for 10 minutes on end.
    """
    token = read_yaml(_file(), dict).get(_key(job))
    if not token:
        raise NotebookError(
            f"The token of '{job.key}' is not known on this machine.",
            "Connect from where it was submitted.",
        )
    deadline = None if timeout is None else time.monotonic() + timeout
    backoff = Backoff()
    while True:
        try:
            detail = job.status()
            backoff.reset()
            address = _address(job, detail)
        except NotebookError:
            raise
        except OpenPaiError as error:
            backoff.wait(error)
            address = ""
        if address and _answers(address, token):
            return f"{address}/?token={quote(token)}"
        if deadline is not None and time.monotonic() > deadline:
            raise WaitTimeout(
                f"The server of '{job.key}' has not answered within {timeout:g} s.",
                f"Try again: opai notebook connect {job.key}",
            )
        time.sleep(poll)


def _address(job: RemoteJob, detail: JobDetail) -> str:
    """Return where the server will be; an empty text before the task has a host and a port."""
    if detail.ended:
        raise NotebookError(
            f"'{job.key}' has ended ({detail.state}); it serves no notebook.",
            f"See its log: opai job logs {job.key}",
        )
    for _, task in detail.tasks():
        port = str(task.container_ports.get(PORT) or "").split(",")[0]
        if task.state == "RUNNING" and task.container_ip and port:
            return f"http://{task.container_ip}:{port}"
    return ""


def _answers(address: str, token: str) -> bool:
    """Whether a Jupyter server answers there that takes the token."""
    request = Request(f"{address}/api/status", headers={"Authorization": f"token {token}"})  # noqa: S310 - made of http:// above
    try:
        # The hosts of a cluster are not behind the proxy that leads to the internet.
        with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
