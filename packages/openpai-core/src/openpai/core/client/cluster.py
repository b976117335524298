"""One PAI cluster, as a script wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Mapping, Sequence

from openpai.core.client.remote_job import RemoteJob
from openpai.core.closing import Closing
from openpai.core.config import mounts_of_environment
from openpai.core.errors import AuthenticationError, NotFoundError
from openpai.core.rest import (
    Session,
    authn,
    cluster as rest_cluster,
    every_job,
    jobs,
    storages,
    users,
    virtual_clusters,
)
from openpai.core.storage import Storage, StorageSpec, open_storage

if TYPE_CHECKING:
    from openpai.core.client.batch import Outcome
    from openpai.core.protocol import Job
    from openpai.core.rest import JobSummary, VirtualCluster

__all__ = ["Cluster"]


class Cluster(Closing):
    """A PAI cluster: submit jobs, look at jobs, reach its storages. Threads may share one.

    Args:
        uri: Its address, such as ``https://pai.example.org``.
        user: The user's name; asked of the server where it is needed and was not given.
        token: A user token or application token.
        password: Used to log in when there is no token, or when it ends; kept in memory only.
        alias: The user's own name for the cluster, for messages.
        timeout: Seconds to wait for an answer.
        verify: ``True``, the path of a CA bundle, or ``False`` to trust any certificate.
        mounts: Where storages are mounted on this machine: storage name → folder.
        attached: Storages that the cluster does not list, such as HDFS.
        addresses: What is otherwise, seen from this machine, about storages that it lists: storage
            name → keys that take the place of the server's.
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
        self._mounts = dict(mounts or {})
        self._addresses = dict(addresses or {})
        self._attached = {spec.name: spec for spec in attached}
        self._keep_token: Callable[[str], None] | None = None
        self._session = Session(uri, token=token or "", timeout=timeout, verify=verify)
        if user and password:
            self._remember(password)

    @classmethod
    def load(cls, alias: str | None = None, *, environment: bool = True) -> Cluster:
        """Open a cluster of the user's list: by alias, else the selected or the only one.

        The environment's ``OPENPAI_CLUSTER`` and ``OPENPAI_TOKEN`` are honoured.

        Args:
            alias: The user's own name for it.
            environment: Whether ``OPENPAI_TOKEN`` is meant for this one; it is one cluster's.

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
            AuthenticationError: No name was given and the token is not good.
            ConnectionFailed: No answer came.
        """
        if not self._user:
            self._user = authn.check_token(self.session).username
        return self._user

    def __repr__(self) -> str:
        return f"<Cluster {self.alias or self.uri}>"

    def info(self) -> rest_cluster.ClusterInfo:
        """Return version and way of logging in; needs no token.

        Raises:
            ApiError: What answers is not a PAI cluster.
            ConnectionFailed: No answer came.
        """
        return rest_cluster.get_info(self._session)

    def login(self, password: str) -> str:
        """Log in with a password, go on with the token and return it.

        The password is kept in memory, to log in again when the token ends.

        Raises:
            AuthenticationError: The password is wrong, or the user unknown.
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

        An application token is good for others, too, and is only forgotten.

        Raises:
            ApiError: The server refused.
            ConnectionFailed: No answer came; the token may still be good.
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
            told = {
                "NoUserError": (
                    f"The cluster knows no user '{self._user}'.",
                    "Check the name: opai cluster show",
                ),
                "NoApiError": (
                    "The cluster takes no passwords: its users sign in with a browser.",
                    "Log in with: opai cluster login --sso",
                ),
            }.get(error.code)
            if told is None:
                raise
            raise AuthenticationError(
                told[0], status=error.status, code=error.code, request=error.request, hint=told[1]
            ) from None

    def submit(self, job: Job, *, strict: bool = True, check_name: bool = True) -> RemoteJob:
        """Submit a job exactly once, even if the answer is lost on the way.

        Where its runtime section lacks what only the cluster can tell, that is filled in
        (:func:`openpai.core.client.prepare.prepare`, which also brings code).

        Args:
            job: What to run.
            strict: Refuse, too, what the server accepts and would later kill.
            check_name: Look afterwards whether another submission took the name in the same moment,
                which the server lets happen; costs a request that a random name does not need.

        Raises:
            ProtocolError: The job breaks the protocol; nothing was sent.
            ConflictError: A job of this user has the name.
            RateLimitError: The server takes no more for more than a minute.
            ApiError: The cluster refused.
            ConnectionFailed: It could not be found out whether the job was recorded.
        """
        from openpai.core.client.prepare import prepare_job
        from openpai.core.client.submit import check_winner, submit_once

        job = prepare_job(job, self)
        job.validate(strict=strict)
        key, text = f"{self.user}~{job.name}", job.to_yaml()
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
        """Stop the user's jobs whose names begin so, or that have the tag.

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
            user: Only theirs; ``None``: everybody's.
            virtual_cluster: Only of these.
            tags: Only jobs with at least one of them.
            without_tags: Only jobs with none of them.
            keyword: A part of the job's, user's or virtual cluster's name.
            priority: HiveD's classes; ``default`` means none.
            order: ``FIELD,ASC`` or ``FIELD,DESC``.
            limit: At most so many.

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
        """Return how many jobs :meth:`jobs` would yield; none of them is fetched.

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
        """Return the virtual clusters that the user may submit to, with what is free in each.

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
        defaults = [item.name for item in storages.list_storages(self.session, default=True)]
        others = [item.name for item in storages.list_storages(self.session)]
        return [self._spec(name) for name in dict.fromkeys([*defaults, *others, *self._attached])]

    def default_storage(self) -> str:
        """Return the name of the user's default storage, or of the only one.

        Raises:
            NotFoundError: The cluster offers none, or several and no default.
            ConnectionFailed: No answer came.
        """
        defaults = storages.list_storages(self.session, default=True)
        every = defaults or storages.list_storages(self.session)
        if len(defaults) >= 1 or len(every) == 1:
            return every[0].name
        names = ", ".join(item.name for item in every)
        raise NotFoundError(
            f"The cluster has no default storage for you (granted: {names or 'none'}).",
            status=404,
            hint="Name one as NAME:/PATH." if names else "Ask the cluster's admin for one.",
        )

    def storage(self, name: str | None = None) -> Storage:
        """Open a storage; ``None`` means the user's default one.

        Raises:
            NotFoundError: There is no such storage, or no default.
            PermissionDeniedError: It is not granted to the user.
            StorageError: It cannot be opened from this machine.
            ConnectionFailed: No answer came.
        """
        spec = self._spec(name or self.default_storage())
        if spec.name in self._attached:
            from openpai.core.config import with_secrets

            spec = with_secrets(spec)
        return open_storage(spec)

    def _spec(self, name: str) -> StorageSpec:
        if name in self._attached:
            return self._attached[name]
        found = storages.get_storage(self.session, name)
        return StorageSpec(
            name=name,
            type=found.type,
            data={**found.data, **self._addresses.get(name, {})},
            read_only=found.read_only,
            mount_path=mounts_of_environment().get(name) or self._mounts.get(name),
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
