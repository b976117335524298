"""Submit a job exactly once, although the answer may be lost on the way.

The name is the key: the server refuses a second job of the same name. After an answer that leaves
it open whether the job was recorded, the client asks whether a job of this name exists with this
very config. If so it is ours; if not, the submission is repeated where that can help.
"""

from __future__ import annotations

import json
import logging
import math
from typing import TYPE_CHECKING, Any

from openpai.core.errors import (
    ApiError,
    ConflictError,
    ConnectionFailed,
    JobNotFoundError,
    OpenPaiError,
)
from openpai.core.rest import get_config, submit_job
from openpai.core.retry import Backoff

if TYPE_CHECKING:
    from openpai.core.rest import Session

__all__ = ["check_winner", "has_config", "name_taken", "submit_once"]

_log = logging.getLogger("openpai.core.client.submit")

# An address that has answered before is right, so its silence may pass; a wrong one stays silent.
_SECONDS_KNOWN = 60.0
_SECONDS_NEW = 3.0


def submit_once(session: Session, key: str, text: str, *, seconds: float | None = None) -> None:
    """Record the job; return when exactly one job ``key`` with this config exists.

    Args:
        session: The cluster's session.
        key: ``<user>~<name>`` of the job.
        text: The job's YAML.
        seconds: How long to retry transient failures; ``None``: a minute with a cluster that has
            answered before, or is known and took the request; else some seconds.

    Raises:
        ConflictError: Another job has the name.
        RateLimitError: The server accepts no further jobs for longer than this waits.
        ApiError: The server refused the job.
        ConnectionFailed: It could not be found out whether the job was recorded, or it was not.
    """
    backoff = Backoff(_SECONDS_NEW if seconds is None else seconds)
    in_doubt = False
    while True:
        try:
            submit_job(session, text)
            return
        except (ApiError, ConnectionFailed) as failure:
            error: OpenPaiError = failure
        if _is_rejection(error, in_doubt):
            raise error
        in_doubt = in_doubt or _may_have_been_recorded(error)
        if seconds is None and (session.answered or (session.known and in_doubt)):
            backoff.seconds = _SECONDS_KNOWN
        if in_doubt and _is_recorded(session, key, text, error, backoff):
            return
        if not _worth_repeating(error):
            raise error
        backoff.wait(error)


def check_winner(session: Session, key: str, text: str) -> None:
    """Check that the job that was just recorded is the one that was sent.

    The server's check for conflicts is not atomic: of submissions under one name at the same moment
    all are accepted, and the last one stays (rest-server/src/models/v2/job/k8s.js).

    Raises:
        ConflictError: Another submission took the name in the same moment.
    """
    try:
        ours = has_config(session, key, text)
    except OpenPaiError as error:
        _log.debug("%s was accepted; looking at it failed: %s", key, error.message)
        return
    if not ours:
        raise ConflictError(
            f"Another submission took the name '{key}' in the same moment.",
            status=409,
            code="ConflictJobError",
            hint="That job is the one that runs; submit this one under another name.",
        )


def has_config(session: Session, key: str, text: str) -> bool:
    """Whether the job ``key`` has the config that the server makes of ``text``.

    Raises:
        JobNotFoundError: There is no such job.
        ApiError: The server refused.
        ConnectionFailed: No answer came.
    """
    from openpai.core.protocol import mask_secrets

    return _canonical(_load(get_config(session, key))) == _canonical(_load(mask_secrets(text)))


def name_taken(key: str, hint: str = "Choose another name.") -> ConflictError:
    """Return the error for a name that a job with another config has."""
    return ConflictError(
        f"The job name '{key}' is taken.", status=409, code="ConflictJobError", hint=hint
    )


def _is_rejection(error: OpenPaiError, in_doubt: bool) -> bool:
    """Whether the server rejected the job; a conflict may come from our own first request."""
    if isinstance(error, ConnectionFailed):
        return not error.transient
    if isinstance(error, ConflictError):
        return not in_doubt
    return not _may_have_been_recorded(error)


def _may_have_been_recorded(error: OpenPaiError) -> bool:
    """Proxies and the write-merger answer 5xx and 404, too, for jobs that were recorded."""
    if isinstance(error, ConnectionFailed):
        return error.sent
    return isinstance(error, ApiError) and (error.status >= 500 or error.status == 404)


def _worth_repeating(error: OpenPaiError) -> bool:
    """A plain 500 is mostly the job's own fault (rest-server throws on bad templates)."""
    return isinstance(error, ConnectionFailed) or (
        isinstance(error, ApiError) and error.status > 500
    )


def _is_recorded(
    session: Session, key: str, text: str, cause: OpenPaiError, backoff: Backoff
) -> bool:
    """Whether a job of this name exists with this config; asks until it gets an answer.

    Raises:
        ConflictError: One exists with another config.
        ConnectionFailed: It cannot be found out.
    """
    while True:
        try:
            if has_config(session, key, text):
                return True
            break
        except JobNotFoundError:
            return False
        except OpenPaiError as error:
            _wait_to_ask(backoff, error, key, cause)
    raise name_taken(key)


def _wait_to_ask(backoff: Backoff, error: OpenPaiError, key: str, cause: OpenPaiError) -> None:
    try:
        backoff.wait(error)
    except OpenPaiError:
        raise ConnectionFailed(
            f"The answer to submitting '{key}' was lost ({cause.message}), and asking for the job "
            f"failed too ({error.message}): it may or may not have been recorded.",
            f"Look with: opai job status {key}",
            transient=False,
        ) from None


def _load(text: str) -> Any:
    """Read a config; the server sends JSON, which Python reads faster than YAML."""
    from openpai.core.protocol import load_yaml

    try:
        return json.loads(text)
    except ValueError:
        return load_yaml(text)


def _canonical(value: Any) -> str:
    """Return one text for all values that JavaScript writes as the same JSON."""
    from openpai.core.protocol import js

    if isinstance(value, dict):
        items = (
            f"{js.text(k)!r}:{_canonical(v)}" for k, v in value.items() if v is not js.UNDEFINED
        )
        return "{" + ",".join(sorted(items)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, bytes):
        return _canonical({"type": "Buffer", "data": list(value)})
    if isinstance(value, js.Timestamp):
        return repr(_iso(value.ms))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return js.number(value) if math.isfinite(value) else "None"
    return repr(value)


def _iso(ms: int) -> str:
    """Return what JavaScript's JSON makes of a date."""
    from datetime import datetime, timedelta

    moment = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds") + "Z"
