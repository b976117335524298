"""What the real server answers to a job, and what it would run.

The steps are the server's (rest-server/src/middlewares/v2/protocol.js): read YAML, check the
schema, check names and references, render. Only the first three kinds of refusal are meant; where
the server's program stumbles over a value instead, its answer is status 500 without a code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from openpai.core.protocol import js
from openpai.core.protocol.ajv import SchemaError, schema_errors
from openpai.core.protocol.references import BrokenReferenceError, resolve_references
from openpai.core.protocol.rendering import render_job
from openpai.core.protocol.job_yaml import YamlError, load_yaml

__all__ = ["MAX_BYTES", "Verdict", "judge", "server_verdict", "too_large"]

MAX_BYTES = 100 * 1024
"""The largest body that the server takes."""

_INVALID = "InvalidProtocolError"


@dataclass(frozen=True)
class Verdict:
    """The server's answer.

    Attributes:
        status: 202 accepted, 400 refused, 413 too large, 500 the server failed.
        code: The server's error code; ``None`` for 202, 413 and 500.
        message: The server's message; empty for 202.
        document: The job, where the text is YAML at all.
        scripts: For 202 the script of each task role, as rendered by the server.
        errors: The violations of the schema.
    """

    status: int
    code: str | None = None
    message: str = ""
    document: Any = None
    scripts: Mapping[str, str] | None = None
    errors: Sequence[SchemaError] = field(default=(), repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the server takes the job."""
        return self.status == 202


def too_large(text: str) -> bool:
    """Whether a text is more than the server takes."""
    return len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES


def server_verdict(text: str) -> Verdict:
    """Return what the server answers to the text of a job.

    What depends on the cluster is left out: name conflicts, permissions, storages, and HiveD.
    """
    if too_large(text):
        return Verdict(413, message="request entity too large")
    try:
        document = load_yaml(text)
    except YamlError as error:
        return Verdict(500, message=error.message)
    return judge(document)


def judge(document: Any) -> Verdict:
    """Return what the server answers to a job that has been read."""
    errors = schema_errors(document)
    if errors:
        message = json.dumps(
            [error.to_server() for error in errors], ensure_ascii=False, separators=(",", ":")
        )
        return Verdict(400, _INVALID, message, document, errors=errors)
    try:
        scripts = render_job(document, resolve_references(document))
    except BrokenReferenceError as fault:
        return Verdict(400, _INVALID, str(fault), document)
    except js.JsError as error:
        return Verdict(500, message=str(error), document=document)
    return Verdict(202, document=document, scripts=scripts)
