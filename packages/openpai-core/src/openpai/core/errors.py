"""Every error that OpenPAI code raises on purpose.

::

    OpenPaiError                 message and hint; catch this one to catch them all
    ├── ConfigError              a configuration file or setting
    ├── ProtocolError            a job description; carries .problems
    ├── ApiError                 the server's answer was a refusal
    │   ├── AuthenticationError      401, and wrong passwords
    │   ├── PermissionDeniedError    403
    │   ├── NotFoundError            404
    │   │   └── JobNotFoundError
    │   ├── ConflictError            409
    │   ├── QuotaError               the cluster can never give what was asked for
    │   ├── RateLimitError           429
    │   └── ServerError              5xx, and answers that are not PAI's
    ├── ConnectionFailed         no answer: refused, cut, timed out, not trusted
    ├── WaitTimeout              the time given to a wait ran out
    └── StorageError             a storage; builtin file errors are raised as themselves
        ├── RefusedNamesError        a listing has names that are not file names
        └── StorageLoginError        it does not accept the key, password or token
"""

from __future__ import annotations

import itertools
from typing import Mapping, NamedTuple, Sequence

__all__ = [
    "ApiError",
    "AuthenticationError",
    "ConfigError",
    "ConflictError",
    "ConnectionFailed",
    "JobNotFoundError",
    "NotFoundError",
    "OpenPaiError",
    "PermissionDeniedError",
    "Problem",
    "ProtocolError",
    "QuotaError",
    "RateLimitError",
    "RefusedNamesError",
    "ServerError",
    "StorageError",
    "StorageLoginError",
    "WaitTimeout",
    "api_error",
]


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        path: The JSON pointer of the value.
        line: Its line in the file, from 1; ``None`` where there is no file.
        column: Its column, from 1; ``None`` where there is no file.
        message: One sentence: what is wrong.
        hint: What to do about it, or an empty text.
    """

    path: str
    line: int | None
    column: int | None
    message: str
    hint: str = ""


class OpenPaiError(Exception):
    """The base of all errors raised on purpose.

    Attributes:
        message: One sentence: what is wrong, and where.
        hint: What to do about it, or an empty text.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows of it: in a notebook as well, the sentence is enough."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(OpenPaiError):
    """A configuration file or a setting that cannot be used."""


class ProtocolError(OpenPaiError):
    """A job description that breaks the job protocol.

    Attributes:
        problems: Every problem found, in the order of the document.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.problems = tuple(problems)


class ApiError(OpenPaiError):
    """The server answered, and its answer is a refusal.

    Attributes:
        status: The HTTP status.
        code: The server's error code, such as ``NoJobError``; empty where it sent none
            (the set of codes is open: rest-server/src/utils/error.d.ts and Node's own).
        request: Method and path of the request that was refused.
    """

    def __init__(
        self, message: str, *, status: int, code: str = "", request: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.code = code
        self.request = request


class AuthenticationError(ApiError):
    """The token, user name or password was not accepted."""


class PermissionDeniedError(ApiError):
    """The user is known but may not do this."""


class NotFoundError(ApiError):
    """The requested object does not exist."""


class JobNotFoundError(NotFoundError):
    """The job does not exist."""


class ConflictError(ApiError):
    """The name is taken."""


class QuotaError(ApiError):
    """The cluster can never give what the job asks for."""


class RateLimitError(ApiError):
    """Too many requests.

    Attributes:
        reset: Unix time in seconds at which the limit is reset, if the server sent it.
    """

    reset: float | None = None


class ServerError(ApiError):
    """The server failed, or something that is not a PAI server answered."""


class ConnectionFailed(OpenPaiError):  # noqa: N818 - it reads as what happened
    """No answer came: refused, cut, timed out, or not trusted.

    Attributes:
        transient: Whether the same request may succeed a moment later.
        sent: Whether the request may have reached the server, and have taken effect.
        untrusted: Whether a certificate is the reason.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        transient: bool = True,
        sent: bool = True,
        untrusted: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.transient = transient
        self.sent = sent
        self.untrusted = untrusted


class WaitTimeout(OpenPaiError):  # noqa: N818 - it reads as what happened
    """The time given to a wait ran out; the job continues."""


class StorageError(OpenPaiError):
    """A storage that cannot be reached, opened or understood."""


class RefusedNamesError(StorageError):
    """A listing has names that are not file names, such as ``..``; they were left out.

    Attributes:
        names: Folder, named for people → its refused names.
        filename: The folder, where it is one; for those who write errors of files in lists.
        strerror: What is wrong, without the folder.
    """

    #: Maximum number of names in the message.
    SHOWN = 10

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self.names = {where: tuple(refused) for where, refused in names.items()}
        total = sum(map(len, self.names.values()))
        every = ((name, where) for where, refused in self.names.items() for name in refused)
        shown = list(itertools.islice(every, self.SHOWN))
        more = f" and {total - len(shown)} more" if total > len(shown) else ""
        are = (
            "1 name that is not a file name"
            if total == 1
            else f"{total} names that are not file names"
        )
        alone = len(self.names) == 1
        self.filename = next(iter(self.names)) if alone else None
        listed = ", ".join(repr(name) if alone else f"{name!r} in {where}" for name, where in shown)
        self.strerror = f"Refused {are}: {listed}{more}"
        super().__init__(
            f"{self.strerror}{f' in {self.filename}' if alone else ''}.",
            "What they stand for was left out; rename it where it is stored.",
        )


class StorageLoginError(StorageError):
    """A storage that does not accept the key, password or token, or no longer does."""


_BY_CODE: dict[str, type[ApiError]] = {
    "UnauthorizedUserError": AuthenticationError,
    "IncorrectPasswordError": AuthenticationError,
    "NoUserError": NotFoundError,
    "NoGroupError": NotFoundError,
    "NoVirtualClusterError": NotFoundError,
    "ForbiddenUserError": PermissionDeniedError,
    "RemoveAdminError": PermissionDeniedError,
    "NoJobError": JobNotFoundError,
    "NoEnoughQuotaError": QuotaError,
}

_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def api_error(status: int, code: str) -> type[ApiError]:
    """Return the class for a server's refusal: by its code, else by the HTTP status."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, ApiError)
