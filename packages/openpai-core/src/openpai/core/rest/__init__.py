"""The REST client: a session, and one module per tag of the REST API.

Every call raises :class:`~openpai.core.errors.ApiError`, or one of its subclasses, if the server
answers with an error, and :class:`~openpai.core.errors.ConnectionFailed` if no answer came. The
docstring of a function names only what it raises besides, or in a particular case.
"""

from openpai.core.lazy_imports import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from openpai.core.rest.address import Address as Address, is_loopback as is_loopback
    from openpai.core.rest.authn import (
        Login as Login,
        TokenClaims as TokenClaims,
        basic_logout as basic_logout,
        check_token as check_token,
        oidc_login_url as oidc_login_url,
    )
    from openpai.core.rest.cluster import ClusterInfo as ClusterInfo, get_info as get_info
    from openpai.core.rest.groups import Group as Group
    from openpai.core.rest.jobs import (
        every_job as every_job,
        get_config as get_config,
        set_execution_type as set_execution_type,
        submit_job as submit_job,
    )
    from openpai.core.rest.models import (
        Event as Event,
        JobDetail as JobDetail,
        JobSummary as JobSummary,
        TaskStatus as TaskStatus,
    )
    from openpai.core.rest.responses import MAX_JOB_BYTES as MAX_JOB_BYTES
    from openpai.core.rest.session import Session as Session
    from openpai.core.rest.storages import list_storages as list_storages
    from openpai.core.rest.tasks import (
        LogChunk as LogChunk,
        TaskAttempt as TaskAttempt,
        TaskHistory as TaskHistory,
        log_locations as log_locations,
        read_chunk as read_chunk,
    )
    from openpai.core.rest.users import User as User
    from openpai.core.rest.virtual_clusters import (
        Resources as Resources,
        VirtualCluster as VirtualCluster,
    )
else:
    __all__, __getattr__, __dir__ = attach(
        __name__,
        {
            "address": ["Address", "is_loopback"],
            "authn": ["Login", "TokenClaims", "basic_logout", "check_token", "oidc_login_url"],
            "cluster": ["ClusterInfo", "get_info"],
            "groups": ["Group"],
            "jobs": ["every_job", "get_config", "set_execution_type", "submit_job"],
            "models": ["Event", "JobDetail", "JobSummary", "TaskStatus"],
            "responses": ["MAX_JOB_BYTES"],
            "session": ["Session"],
            "storages": ["list_storages"],
            "tasks": ["LogChunk", "TaskAttempt", "TaskHistory", "log_locations", "read_chunk"],
            "users": ["User"],
            "virtual_clusters": ["Resources", "VirtualCluster"],
        },
    )
