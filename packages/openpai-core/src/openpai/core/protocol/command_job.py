"""The job that runs one command: what ``opai job sub`` submits.

PAI has no list of arguments and no environment of a job's own: a task's commands are lines of one
bash script, and what a user sets is exported there (rest-server/src/models/v2/job/k8s.js). Text on
its way into that script is read by three others, so words that must arrive as they are get quoted
against all of them; see :func:`quote_word`. Secrets are pasted into the script HTML-escaped
(openpai-runtime renders them with pystache), so they travel in base64.
"""

from __future__ import annotations

import base64
import re
import shlex
from typing import TYPE_CHECKING, Mapping, Sequence

if TYPE_CHECKING:
    from openpai.core.protocol.job import Job

__all__ = [
    "command_line",
    "default_name",
    "job_from_command",
    "quote_word",
    "random_letters",
]

_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
# What somebody on the way would change: rest-server renders `<% … %>`, Kubernetes turns `$$` into
# `$` and expands `$(NAME)`, the FrameworkController replaces `{{FC_…}}`.
_READ_ON_THE_WAY = re.compile(r"<(?=%)|\$(?=[$(])|\{(?=\{)")


def quote_word(word: str) -> str:
    """Quote one word so that the task's shell sees exactly it.

    Beyond the shell's own quotes, an empty pair of quotes parts the characters that PAI's servers
    would read as theirs.
    """
    quoted = shlex.quote(word)
    return _READ_ON_THE_WAY.sub(lambda match: match.group() + "''", quoted)


def command_line(words: Sequence[str]) -> str:
    """Return the shell line for a command.

    One word is a shell line of its own, with pipes, variables and PAI's ``<% %>`` in force; several
    words are a program and its arguments, which arrive exactly.
    """
    return words[0] if len(words) == 1 else " ".join(map(quote_word, words))


def default_name(words: Sequence[str]) -> str:
    """Return a free name for the job of a command: ``train_k3x9q2ab`` for ``python train.py``."""
    every = [part for word in words for part in word.split()] or ["job"]
    named = next((part for part in every if part.endswith((".py", ".sh"))), every[0])
    base = re.split(r"[/\\]", named)[-1].partition(".")[0]
    safe = re.sub(r"[^A-Za-z0-9]+", "_", base).strip("_")[:40] or "job"
    return f"{safe}_{random_letters(8)}"


def random_letters(count: int) -> str:
    """Return random lower-case letters and digits from the system's secure source."""
    import secrets

    return "".join(secrets.choice(_CHARACTERS) for _ in range(count))


def job_from_command(
    name: str,
    commands: Sequence[str],
    *,
    image: str,
    role: str = "main",
    instances: int = 1,
    cpu: int = 2,
    memory_mb: int = 4096,
    gpu: int = 0,
    ports: Mapping[str, int] | None = None,
    environment: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    virtual_cluster: str | None = None,
) -> Job:
    """Return the job that runs these shell lines in every instance of one task role.

    Args:
        name: The job's name.
        commands: Lines of one bash script.
        image: The docker image, as ``docker pull`` takes it.
        role: The task role's name.
        instances: How many tasks run.
        cpu: CPUs of each.
        memory_mb: MiB of each.
        gpu: GPUs of each.
        ports: Label → how many ports each needs.
        environment: Variables exported before the commands.
        secrets: The same for values that the server never returns; trailing line ends
            are lost.
        virtual_cluster: ``None``: the server's default one.
    """
    from openpai.core.protocol.job import Job

    job = Job(name).image(image)
    exports = [f"export {key}={quote_word(text)}" for key, text in (environment or {}).items()]
    for key, text in (secrets or {}).items():
        job.secrets(**{key: base64.b64encode(text.encode()).decode("ascii")})
        exports.append(f"export {key}=\"$(printf %s '<% $secrets.{key} %>' | base64 -d)\"")
    job.role(
        role,
        [*exports, *commands],
        instances=instances,
        cpu=cpu,
        gpu=gpu,
        memory=memory_mb,
        ports=ports,
    )
    return job.virtual_cluster(virtual_cluster) if virtual_cluster else job
