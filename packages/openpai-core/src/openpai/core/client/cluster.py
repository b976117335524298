"""``Cluster``: submit and list jobs, log in, reach virtual clusters and storages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence

from openpai.core.client.remote_job import RemoteJob
from openpai.core.client.storages import ClusterStorages
from openpai.core.errors import AuthenticationError, NotFoundError
from openpai.core.rest import (
    Session,
    authn,
    cluster as rest_cluster,
    every_job,
    jobs,
    users,
    virtual_clusters,
)

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.client.batch import Outcome
    from openpai.core.client.prepare import Extras
    from openpai.core.protocol import Job
    from openpai.core.rest import JobSummary, VirtualCluster
    from openpai.core.storage import Storage, StorageSpec

__all__ = ["Cluster"]


class Cluster:
    """A PAI cluster: submit and list jobs, open its storages. Threads may share one.

    Args:
        uri: Its address, such as ``https://pai.example.org``.
        user: The user's name; without one, the server is asked when it is needed.
        token: A user token or application token.
        password: Used to log in when there is no token, or when it expires; kept in memory only.
        alias: The user's own name for the cluster, for messages.
        timeout: Seconds to wait for an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
        mounts: Where storages are mounted on this machine: storage name → folder.
        attached: Storages that the cluster does not list, such as HDFS.
        addresses: How this machine reaches storages that the cluster lists, where that differs:
            storage name → keys that replace the server's.
    """

    def __init__(
        self,
        uri: str,
        *,
        user: str = "",
        token: str | None = None,
        password: str | None = None,
        alias: str = "",
        timeout: float = 30.0,
        verify: bool | str = True,
        mounts: Mapping[str, str] | None = None,
        attached: Iterable[StorageSpec] = (),
        addresses: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.alias = alias
        self._user = user
        self._keep_token: Callable[[str], None] | None = None
        self._session = Session(uri, token=token or "", timeout=timeout, verify=verify)
        self._storages = ClusterStorages(
            self._session, mounts=mounts or {}, attached=attached, addresses=addresses or {}
        )
        if user and password:
            self._remember(password)

    @classmethod
    def load(cls, alias: str | None = None, *, environment: bool = True) -> Cluster:
        """Open a cluster of clusters.yaml: by alias, else the selected or the only one.

        The environment's ``OPENPAI_CLUSTER`` and ``OPENPAI_TOKEN`` are honoured.

        Args:
            alias: The user's own name for it.
            environment: Whether ``OPENPAI_TOKEN`` applies to this cluster.

        Raises:
            ConfigError: There is no such cluster, or the list cannot be read.
        """
        from openpai.core.config import attached_storages, find_cluster, store_token

        entry = find_cluster(alias, environment=environment)
        cluster = cls(
            entry.uri,
            user=entry.user,
            token=entry.token,
            password=entry.password,
            alias=entry.alias,
            verify=entry.settings.get("verify", True),
            mounts=entry.mounts,
            addresses=entry.addresses,
            attached=[*attached_storages().values(), *entry.attached],
        )
        cluster._session.known = bool(entry.settings.get("info"))
        cluster._keep_token = lambda token: store_token(entry.alias, token)
        return cluster

    @property
    def uri(self) -> str:
        """The cluster's address, without ``/rest-server``."""
        return self._session.uri

    @property
    def session(self) -> Session:
        """The HTTP session; logs in first if there is a password and no token."""
        if not self._session.token:
            self._session.ensure_token()
        return self._session

    @property
    def user(self) -> str:
        """The user's name: as given, else as the server knows the token's owner.

        Raises:
            AuthenticationError: No name was given and the token is invalid.
            ConnectionFailed: No answer came.
        """
        if not self._user:
            self._user = authn.check_token(self.session).username
        return self._user

    def __repr__(self) -> str:
        return f"<Cluster {self.alias or self.uri}>"

    def info(self) -> rest_cluster.ClusterInfo:
        """Return the version and the login method; needs no token.

        Raises:
            ApiError: What answers is not a PAI cluster.
            ConnectionFailed: No answer came.
        """
        return rest_cluster.get_info(self._session)

    def login(self, password: str) -> str:
        """Log in with a password; use and return the token.

        The password is kept in memory, to log in again when the token expires.

        Raises:
            AuthenticationError: The password is wrong or the user is unknown.
            ConnectionFailed: No answer came.
        """
        token = self._log_in(password)
        self._remember(password)
        self._session.renew(token)
        return token

    def use_token(self, token: str) -> None:
        """Use another token from now on, such as one from a browser login."""
        self._session.renew(token)

    def logout(self) -> None:
        """Revoke the token at the server and forget it and the password.

        An application token is not revoked, since other programs may use it.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came; the token may still be valid.
        """
        self._session.log_in = None
        if (
            self._session.token
            and not authn.TokenClaims.from_token(self._session.token).application
        ):
            authn.basic_logout(self._session)
        self._session.token = ""

    def _remember(self, password: str) -> None:
        def log_in() -> str:
            token = self._log_in(password)
            if self._keep_token is not None:
                self._keep_token(token)
            return token

        self._session.log_in = log_in

    def _log_in(self, password: str) -> str:
        try:
            return authn.basic_login(self._session, self._user, password).token
        except NotFoundError as error:
            sentences = {
                "NoUserError": (
                    f"The cluster knows no user '{self._user}'.",
                    "Check the name: opai cluster show",
                ),
                "NoApiError": (
                    "The cluster takes no passwords: its users sign in with a browser.",
                    "Log in with: opai cluster login --sso",
                ),
            }.get(error.code)
            if sentences is None:
                raise
            raise AuthenticationError(
                sentences[0],
                status=error.status,
                code=error.code,
                request=error.request,
                hint=sentences[1],
            ) from None

    def submit(
        self,
        job: Job,
        *,
        extras: Extras | None = None,
        base: Path | None = None,
        strict: bool = True,
        check_name: bool = True,
        report: Callable[[str], None] | None = None,
    ) -> RemoteJob:
        """Submit a job exactly once, even if the answer is lost on the way.

        What its runtime section lacks and only the cluster knows, such as the workspace, is filled
        in; then the job is validated and its code uploaded.

        Args:
            job: What to run.
            extras: Code, outputs and packages that the submission adds.
            base: The folder that the paths of the code are kept relative to; the current one.
            strict: Also refuse what the server accepts and would fail later.
            check_name: Check afterwards whether another submission took the name at the same time,
                which the server does not prevent; one request, not needed for a random name.
            report: Called with a sentence before a large upload.

        Raises:
            ProtocolError: The job breaks the protocol; nothing was sent.
            NotFoundError: A workspace is needed and the cluster offers no storage for it.
            StorageError: The storage for code cannot be opened from this machine.
            OSError: A source cannot be read, or the storage refuses the code.
            ConflictError: A job of this user has the name.
            RateLimitError: The server accepts no further jobs for more than a minute.
            ApiError: The cluster refused.
            ConnectionFailed: It is unknown whether the job was recorded.
        """
        from openpai.core.client.prepare import NO_EXTRAS, prepare_text
        from openpai.core.client.submit import check_winner, submit_once

        name, text = prepare_text(
            job, self, extras or NO_EXTRAS, base=base, strict=strict, report=report
        )
        key = f"{self.user}~{name}"
        submit_once(self.session, key, text)
        if check_name:
            check_winner(self.session, key, text)
        return RemoteJob(self, key)

    def submit_all(self, jobs: Iterable[Job], **options: Any) -> list[Outcome]:
        """Submit many jobs, several at a time, within the server's limits.

        See :func:`openpai.core.client.batch.submit_all` for the options and errors.
        """
        from openpai.core.client.batch import submit_all

        return submit_all(self, jobs, **options)

    def stop_all(self, *, prefix: str = "", tag: str = "", **options: Any) -> list[Outcome]:
        """Stop the user's jobs that have a name prefix, a tag, or both.

        See :func:`openpai.core.client.batch.stop_all` for the options and errors.
        """
        from openpai.core.client.batch import stop_all

        return stop_all(self, prefix=prefix, tag=tag, **options)

    def job(self, name: str) -> RemoteJob:
        """Return the job of this name, or of ``<user>~<name>``; the server is not asked yet."""
        return RemoteJob(self, name if "~" in name else f"{self.user}~{name}")

    def jobs(
        self,
        *,
        state: str | Sequence[str] | None = None,
        user: str | Sequence[str] | None = None,
        virtual_cluster: str | Sequence[str] | None = None,
        tags: str | Sequence[str] | None = None,
        without_tags: str | Sequence[str] | None = None,
        keyword: str | None = None,
        priority: str | Sequence[str] | None = None,
        order: str = "submissionTime,DESC",
        limit: int | None = None,
    ) -> Iterator[JobSummary]:
        """Yield jobs, the newest first, each once.

        Args:
            state: One of the server's states, or several.
            user: Only jobs of this user, or of several; ``None``: of all.
            virtual_cluster: Only jobs in this virtual cluster, or in several.
            tags: Only jobs with at least one of them.
            without_tags: Only jobs with none of them.
            keyword: A part of the job's, user's or virtual cluster's name.
            priority: HiveD's classes; ``default`` means none.
            order: ``FIELD,ASC`` or ``FIELD,DESC``.
            limit: The maximum number of jobs.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        return every_job(
            self.session,
            limit,
            state=state,
            username=user,
            vc=virtual_cluster,
            tagsContain=tags,
            tagsNotContain=without_tags,
            keyword=keyword,
            jobPriority=priority,
            order=order,
        )

    def count_jobs(
        self,
        *,
        state: str | Sequence[str] | None = None,
        user: str | Sequence[str] | None = None,
        virtual_cluster: str | Sequence[str] | None = None,
        tags: str | Sequence[str] | None = None,
        keyword: str | None = None,
    ) -> int:
        """Return the number of jobs that :meth:`jobs` would yield, without fetching them.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        filters = {"state": state, "username": user, "vc": virtual_cluster, "tagsContain": tags}
        return jobs.count_jobs(self.session, **filters, keyword=keyword)

    def virtual_clusters(self) -> dict[str, VirtualCluster]:
        """Return all virtual clusters by name.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        return virtual_clusters.list_virtual_clusters(self.session)

    def resources(self) -> dict[str, VirtualCluster]:
        """Return the virtual clusters that the user may submit to, with their free resources.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        mine = users.get_user(self.session, self.user).virtual_clusters
        return {name: vc for name, vc in self.virtual_clusters().items() if name in mine}

    def storages(self) -> list[StorageSpec]:
        """Return the storages granted to the user, the default ones first, then attached ones.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came.
        """
        return self._storages.specs()

    def default_storage(self) -> str:
        """Return the name of the user's default storage, or of the only one.

        Raises:
            NotFoundError: The cluster offers none, or several and no default.
            ConnectionFailed: No answer came.
        """
        return self._storages.default_name()

    def storage(self, name: str | None = None) -> Storage:
        """Open a storage; ``None`` means the user's default one.

        Raises:
            NotFoundError: There is no such storage, or no default.
            PermissionDeniedError: It is not granted to the user.
            StorageError: It cannot be opened from this machine.
            ConnectionFailed: No answer came.
        """
        return self._storages.open(name)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
