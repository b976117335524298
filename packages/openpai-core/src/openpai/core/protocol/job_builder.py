"""Methods of `Job` that build a job in Python.

::

    job = (
        Job("mnist")
        .image("openpai/standard:python_3.6-pytorch_1.2.0-gpu")
        .parameters(lr=0.1)
        .role("worker", "python train.py --lr <% $parameters.lr %>", gpu=1, memory="16 GB")
    )

Every method changes the job and returns it, and writes plain protocol into ``document``: nothing is
hidden, and what has no method is set in the document itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Sequence, TypeVar, Union

from openpai.core.errors import ProtocolError

if TYPE_CHECKING:
    Self = TypeVar("Self", bound="JobBuilder")

__all__ = ["JobBuilder"]

Lines = Union[str, Sequence[str]]


class JobBuilder:
    """The methods of :class:`~openpai.core.protocol.job.Job` that write the job.

    Attributes:
        document: The job.
    """

    document: dict[str, Any]

    def image(
        self: Self,
        uri: str,
        name: str = "image",
        *,
        username: str | None = None,
        password: str | None = None,
        registry: str | None = None,
    ) -> Self:
        """Name a docker image for the task roles; roles use the one called ``image`` by default.

        Args:
            uri: The image, as ``docker pull`` takes it.
            name: What roles call it.
            username: Account at a private registry.
            password: ``<% $secrets.NAME %>``, with the password given to :meth:`secrets`.
            registry: The registry's address; Docker Hub by default.
        """
        item: dict[str, Any] = {"name": name, "type": "dockerimage", "uri": uri}
        if username is not None or password is not None:
            item["auth"] = {
                "username": username or "",
                "password": password or "",
                "registryuri": registry or "https://index.docker.io/v1/",
            }
        return self.prerequisite(item)

    def prerequisite(self: Self, item: Mapping[str, Any]) -> Self:
        """Add a prerequisite, in place of one of the same type and name."""
        items = self.document.setdefault("prerequisites", [])
        kept = [
            one
            for one in items
            if (one.get("type"), one.get("name")) != (item.get("type"), item.get("name"))
        ]
        items[:] = [*kept, dict(item)]
        return self

    def data(self: Self, name: str, *uris: str) -> Self:
        """Name data, for ``<% $data.uri[0] %>`` in the commands of roles that bind it."""
        return self.prerequisite({"name": name, "type": "data", "uri": list(uris)})

    def script(self: Self, name: str, uri: str) -> Self:
        """Name a script, for ``<% $script.uri %>`` in the commands of roles that bind it."""
        return self.prerequisite({"name": name, "type": "script", "uri": uri})

    def output(self: Self, name: str, uri: str) -> Self:
        """Name an output, for ``<% $output.uri %>`` in the commands of roles that bind it."""
        return self.prerequisite({"name": name, "type": "output", "uri": uri})

    def role(
        self: Self,
        name: str,
        command: Lines,
        *,
        instances: int = 1,
        cpu: int = 4,
        gpu: int = 0,
        memory: int | str = "8 GiB",
        shm: int | str | None = None,
        ports: Mapping[str, int] | None = None,
        image: str = "image",
        data: str | None = None,
        script: str | None = None,
        output: str | None = None,
        prerequisites: Sequence[str] = (),
        min_failed: int | None = None,
        min_succeeded: int | None = None,
        task_retries: int | None = None,
        infiniband: bool = False,
    ) -> Self:
        """Describe a task role, in place of one of the same name.

        Args:
            name: Lower-case letters and digits.
            command: One shell line, or several.
            instances: How many tasks.
            cpu: CPU cores of each.
            gpu: GPUs of each.
            memory: Memory of each: ``16 GB``, or a number of MiB.
            shm: Size of /dev/shm of each; 512 MiB by default.
            ports: How many ports by label.
            image: Which image, by the name given to :meth:`image`.
            data: Which data ``$data`` is.
            script: Which script ``$script`` is.
            output: Which output ``$output`` is.
            prerequisites: Prerequisites whose plugins run in each task, in this order.
            min_failed: How many failed tasks fail the job; 1 by default, -1 for never.
            min_succeeded: How many succeeded tasks end the job well, whatever the others do; all
                of the role by default, -1 for never.
            task_retries: How often a task alone is retried; needs :meth:`gang` off.
            infiniband: Whether the tasks get the InfiniBand devices of their node.
        """
        from openpai.core.units import mebibytes

        completion = _given(minFailedInstances=min_failed, minSucceededInstances=min_succeeded)
        shm_mb = None if shm is None else mebibytes(shm)
        options = _given(shmMB=shm_mb, infiniband=infiniband or None)
        resources = {"cpu": cpu, "memoryMB": mebibytes(memory), "gpu": gpu}
        self.document.setdefault("taskRoles", {})[name] = {
            "instances": instances,
            **_given(completion=completion or None, taskRetryCount=task_retries),
            **({"prerequisites": list(prerequisites)} if prerequisites else {}),
            "dockerImage": image,
            **_given(data=data, script=script, output=output),
            **_given(extraContainerOptions=options or None),
            "resourcePerInstance": {**resources, **_given(ports=dict(ports) if ports else None)},
            "commands": _lines(command),
        }
        return self

    def parameters(self: Self, **values: Any) -> Self:
        """Set parameters, for ``<% $parameters.NAME %>`` in commands."""
        return self._update("parameters", values)

    def secrets(self: Self, **values: Any) -> Self:
        """Set secrets, for ``<% $secrets.NAME %>``; the server never returns them."""
        if not isinstance(self.document.get("secrets"), dict):
            self.document["secrets"] = {}
        return self._update("secrets", values)

    def retries(self: Self, count: int) -> Self:
        """Set how often the job is started again after a failure of unknown kind."""
        self.document["jobRetryCount"] = count
        return self

    def deployment(
        self: Self, name: str, role: str, *, before: Lines = (), after: Lines = ()
    ) -> Self:
        """Add commands before and after those of a task role, and choose this deployment.

        Args:
            name: The deployment; call the method once for each role.
            role: The task role.
            before: Lines that run first, in the same shell.
            after: Lines that run last, in the same shell, if everything before succeeded.
        """
        items = self.document.setdefault("deployments", [])
        found = next((item for item in items if item.get("name") == name), None)
        if found is None:
            found = {"name": name, "taskRoles": {}}
            items.append(found)
        commands = _given(preCommands=_lines(before) or None, postCommands=_lines(after) or None)
        found["taskRoles"][role] = commands
        return self._update("defaults", {"deployment": name})

    def virtual_cluster(self: Self, name: str) -> Self:
        """Choose the virtual cluster."""
        return self._update("defaults", {"virtualCluster": name})

    def gang(self: Self, together: bool) -> Self:
        """Set whether all tasks start together; otherwise each is started and retried alone."""
        return self.set_extra("gangAllocation", together)

    def priority(self: Self, level: str) -> Self:
        """Set the priority on clusters with HiveD: ``prod``, ``test`` or ``oppo``."""
        return self._hived({"jobPriorityClass": level})

    def sku(self: Self, role: str, sku_type: str) -> Self:
        """Choose the kind of machine of a task role on clusters with HiveD."""
        roles = self.document.get("extras", {}).get("hivedScheduler", {}).get("taskRoles", {})
        return self._hived({"taskRoles": {**roles, role: {"skuType": sku_type}}})

    def storages(self: Self, *names: str, **mounts: str) -> Self:
        """Mount storages of the cluster.

        Args:
            names: Storages to mount at ``/mnt/<name>``; none at all for the user's default ones.
            mounts: Storages with the path to mount each at.
        """
        items: list[dict[str, str]] = [{"name": name} for name in names]
        items += [{"name": name, "mountPath": path} for name, path in mounts.items()]
        return self.set_extra("storages", items)

    def plugin(
        self: Self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        roles: Sequence[str] = (),
        ignore_failure: bool = False,
    ) -> Self:
        """Use a plugin of PAI's runtime.

        Args:
            name: ``cmd``, ``ssh``, ``git``, ``tensorboard``.
            parameters: The plugin's parameters.
            roles: The task roles in which it runs; all by default.
            ignore_failure: Whether a task continues when the plugin fails.
        """
        from openpai.core.protocol.plugins import PLUGINS_KEY

        item: dict[str, Any] = {"plugin": name, "parameters": dict(parameters or {})}
        item.update(_given(taskroles=list(roles) or None))
        item.update(_given(failurePolicy="ignore" if ignore_failure else None))
        items = self.document.setdefault("extras", {}).setdefault(PLUGINS_KEY, [])
        items.append(item)
        return self

    def notify(self: Self, *states: str) -> Self:
        """Ask for e-mails when the job is ``running``, ``succeeded``, ``failed``, and so on."""
        known = ("running", "succeeded", "stopped", "failed", "retried")
        wrong = [state for state in states if state not in known]
        if wrong:
            raise ProtocolError(
                f"Invalid state '{wrong[0]}' to notify of.", hint=f"Use {', '.join(known)}."
            )
        wanted = {state: state in states for state in known}
        return self.set_extra("jobStatusChangeNotification", wanted)

    def tags(self: Self, *tags: str) -> Self:
        """Add tags to the job; they are set on the server after the submission."""
        return self.set_extra("tags", list(tags))

    def set_extra(self: Self, key: str, value: Any) -> Self:
        """Set a key of ``extras``."""
        return self._update("extras", {key: value})

    def _hived(self: Self, values: Mapping[str, Any]) -> Self:
        current = self.document.get("extras", {}).get("hivedScheduler", {})
        return self.set_extra("hivedScheduler", {**current, **values})

    def _update(self: Self, section: str, values: Mapping[str, Any]) -> Self:
        self.document.setdefault(section, {}).update(values)
        return self


def _given(**values: Any) -> dict[str, Any]:
    """Return what has a value."""
    return {key: value for key, value in values.items() if value is not None}


def _lines(lines: Lines) -> list[str]:
    return [lines] if isinstance(lines, str) else list(lines)
