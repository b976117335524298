"""Submit a job exactly once, although the answer may be lost on the way.

The name is the key: the server refuses a second job of the same name. After an answer that leaves
it open whether the job was recorded, the client asks whether a job of this name exists with this
very config. If so it is ours; if not, the submission is repeated where that can help.
"""

from __future__ import annotations

import json
import time
from typing import Any

from openpai.core.errors import (
    ApiError,
    ConflictError,
    ConnectionFailed,
    JobNotFoundError,
    OpenPaiError,
)
from openpai.core.rest.failures import NoAnswer
from openpai.core.rest.jobs import get_config, submit_job
from openpai.core.rest.session import Session

__all__ = ["submit_once"]

_TRIES = 4


def submit_once(session: Session, key: str, text: str) -> None:
    """Record the job; return when exactly one job ``key`` with this config exists.

    Args:
        session: The cluster's session.
        key: ``<user>~<name>`` of the job.
        text: The job's YAML.

    Raises:
        ConflictError: Another job has the name.
        ApiError: The server refused the job.
        ConnectionFailed: It could not be found out whether the job was recorded, or it was not.
    """
    in_doubt = False
    for attempt in range(1, _TRIES + 1):
        try:
            submit_job(session, text)
        except (ApiError, NoAnswer) as error:
            if _refused(error, in_doubt):
                raise
            if _exists(session, key, text, error):
                return
            if attempt == _TRIES or not _worth_repeating(error):
                raise
            in_doubt = in_doubt or _may_have_been_recorded(error)
            time.sleep(0.2 * 2**attempt)
        else:
            return


def _refused(error: OpenPaiError, in_doubt: bool) -> bool:
    """Whether the answer is a clear no. A conflict is not, when it may be our own first try."""
    if isinstance(error, NoAnswer):
        return not error.transient
    if isinstance(error, ConflictError):
        return not in_doubt
    assert isinstance(error, ApiError)
    return not _may_have_been_recorded(error)


def _may_have_been_recorded(error: OpenPaiError) -> bool:
    """Proxies and the write-merger answer 5xx and 404, too, for jobs that were recorded."""
    if isinstance(error, NoAnswer):
        return error.sent
    return isinstance(error, ApiError) and (error.status >= 500 or error.status == 404)


def _worth_repeating(error: OpenPaiError) -> bool:
    """A plain 500 is mostly the job's own fault (rest-server throws on bad templates)."""
    return isinstance(error, NoAnswer) or (isinstance(error, ApiError) and error.status > 500)


def _exists(session: Session, key: str, text: str, cause: OpenPaiError) -> bool:
    """Whether a job of this name exists with this config.

    Raises:
        ConflictError: One exists with another config.
        ConnectionFailed: It cannot be found out.
    """
    if isinstance(cause, NoAnswer) and not cause.sent:
        return False
    try:
        found = get_config(session, key)
    except JobNotFoundError:
        return False
    except OpenPaiError as error:
        raise ConnectionFailed(
            f"The answer to submitting '{key}' was lost ({cause.message}), and asking for the job "
            f"failed too ({error.message}): it may or may not have been recorded.",
            f"Look with: opai job status {key}",
        ) from None
    if _same(found, text):
        return True
    raise ConflictError(
        f"Another job is called '{key}'.",
        status=409,
        code="ConflictJobError",
        hint="Choose a name.",
    )


def _same(stored: str, sent: str) -> bool:
    """Whether the stored config is what the server makes of the text that was sent."""
    from openpai.core.protocol.secrets import mask_secrets
    from openpai.core.protocol.yaml_io import load_yaml

    return _canonical(load_yaml(stored)) == _canonical(load_yaml(mask_secrets(sent)))


def _canonical(document: Any) -> str:
    """A text that is the same for the same JSON value: 1.0 and 1 are one number there."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return json.dumps(plain(document), sort_keys=True, default=str)
