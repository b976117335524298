"""The command tree: a table of names; what is contributed by others comes after our own."""

from __future__ import annotations

from collections.abc import Mapping

import click

from openpai.cli.__about__ import __version__
from openpai.cli.framework import CliApp, Lazy, LazyGroup, pass_app, plugins as _plugins, unknown

__all__ = ["opai"]


CLUSTER = {
    "add": Lazy("openpai.cli.commands.cluster.add:add", "Add a cluster and log in to it."),
    "list": Lazy("openpai.cli.commands.cluster.list:list_clusters", "List the clusters you know."),
    "show": Lazy("openpai.cli.commands.cluster.show:show", "Show what is stored of a cluster."),
    "select": Lazy(
        "openpai.cli.commands.cluster.select:select", "Use this cluster when none is named."
    ),
    "check": Lazy(
        "openpai.cli.commands.cluster.check:check", "Find out why a cluster does not work."
    ),
    "update": Lazy(
        "openpai.cli.commands.cluster.update:update", "Ask all clusters again what they are."
    ),
    "edit": Lazy("openpai.cli.commands.cluster.edit:edit", "Open clusters.yaml in an editor."),
    "delete": Lazy("openpai.cli.commands.cluster.delete:delete", "Forget a cluster and its token."),
    "login": Lazy(
        "openpai.cli.commands.cluster.login:login",
        "Log in again, with a password, a token, or a browser.",
    ),
    "logout": Lazy("openpai.cli.commands.cluster.logout:logout", "Forget the token of a cluster."),
    "token": Lazy(
        "openpai.cli.commands.cluster.token:token", "Print a cluster's token, for scripts."
    ),
    "resources": Lazy("openpai.cli.commands.cluster.resources:resources", "Show what is free."),
}

JOB = {
    "sub": Lazy("openpai.cli.commands.job.sub:sub", "Submit one command as a job."),
    "submit": Lazy("openpai.cli.commands.job.submit:submit", "Submit a job file."),
    "run": Lazy("openpai.cli.commands.job.run:run", "Run a job file here, without a cluster."),
    "validate": Lazy(
        "openpai.cli.commands.job.validate:validate", "Check job files without a cluster."
    ),
    "render": Lazy(
        "openpai.cli.commands.job.render:render", "Show the scripts that the server makes."
    ),
    "diff": Lazy(
        "openpai.cli.commands.job.diff:diff", "Compare a job file with another or with a job."
    ),
    "schema": Lazy("openpai.cli.commands.job.schema:schema", "Print the JSON Schema of job files."),
    "list": Lazy("openpai.cli.commands.job.list:list_jobs", "List jobs, the newest first."),
    "status": Lazy("openpai.cli.commands.job.status:status", "Show what a job is doing, and why."),
    "logs": Lazy("openpai.cli.commands.job.logs:logs", "Print or follow what a job's tasks wrote."),
    "wait": Lazy("openpai.cli.commands.job.wait:wait", "Wait until jobs have ended."),
    "stop": Lazy("openpai.cli.commands.job.stop:stop", "Stop jobs."),
    "start": Lazy(
        "openpai.cli.commands.job.start:start", "Take back a stop that has not taken effect yet."
    ),
    "clone": Lazy("openpai.cli.commands.job.clone:clone", "Submit a job once more."),
    "sweep": Lazy(
        "openpai.cli.commands.sweep.submit:sweep", "Submit one job for each set of parameters."
    ),
    "results": Lazy(
        "openpai.cli.commands.sweep.results:results", "Show what became of many jobs, side by side."
    ),
    "tasks": Lazy(
        "openpai.cli.commands.job.tasks:tasks", "List the tasks of a job's latest attempt."
    ),
    "attempts": Lazy(
        "openpai.cli.commands.job.attempts:attempts", "List every start of a job, and why it ended."
    ),
    "events": Lazy("openpai.cli.commands.job.events:events", "List what happened to a job."),
    "tag": Lazy("openpai.cli.commands.job.tag:tag", "Tag a job, or list its tags."),
    "ssh": Lazy("openpai.cli.commands.job.ssh:ssh", "Log in to the container of a task that runs."),
    "open": Lazy("openpai.cli.commands.job.open:open_", "Open a job's page in the web portal."),
    "config": Lazy(
        "openpai.cli.commands.job.config:config", "Print the job file a job was submitted with."
    ),
}

SWEEP = {
    "list": Lazy(
        "openpai.cli.commands.sweep.list:list_sweeps", "List your sweeps and how far they are."
    ),
    "status": Lazy("openpai.cli.commands.sweep.status:status", "List the jobs of a sweep."),
    "wait": Lazy(
        "openpai.cli.commands.sweep.wait:wait", "Wait until the jobs of a sweep have ended."
    ),
    "stop": Lazy(
        "openpai.cli.commands.sweep.stop:stop",
        "Stop all jobs of a sweep that go on, and submit no more of it.",
    ),
    "resume": Lazy(
        "openpai.cli.commands.sweep.resume:resume",
        "Submit what is left of a sweep that was broken off.",
    ),
    "rerun": Lazy(
        "openpai.cli.commands.sweep.rerun:rerun", "Run again what failed of a sweep, and only that."
    ),
    "results": Lazy(
        "openpai.cli.commands.sweep.results:results", "Show what became of many jobs, side by side."
    ),
    "download": Lazy(
        "openpai.cli.commands.sweep.download:download",
        "Fetch the files that the jobs of a sweep saved.",
    ),
}

OUTPUT = {
    "list": Lazy("openpai.cli.commands.output.list:list_outputs", "List the files a job saved."),
    "download": Lazy(
        "openpai.cli.commands.output.download:download", "Fetch the files a job saved."
    ),
    "peek": Lazy("openpai.cli.commands.output.peek:peek", "Write a saved file to stdout."),
}

LOCAL = {
    "up": Lazy("openpai.cli.commands.local.up:up", "Start a cluster on this machine."),
    "down": Lazy("openpai.cli.commands.local.down:down", "Stop the cluster on this machine."),
    "status": Lazy("openpai.cli.commands.local.status:status", "Show whether it runs, and where."),
    "logs": Lazy("openpai.cli.commands.local.logs:logs", "Print the log of its server."),
    "prune": Lazy(
        "openpai.cli.commands.local.prune:prune",
        "Remove jobs that are over, with their logs and working folders.",
    ),
}

USER = {
    "list": Lazy("openpai.cli.commands.user.list:list_users", "List the users of a cluster."),
    "show": Lazy(
        "openpai.cli.commands.user.show:show", "Show what a user may use; without a name, you."
    ),
    "create": Lazy("openpai.cli.commands.user.create:create", "Make a user (admins only)."),
    "update": Lazy(
        "openpai.cli.commands.user.update:update",
        "Change a user (admins only; your own address yourself).",
    ),
    "password": Lazy(
        "openpai.cli.commands.user.password:password",
        "Change your password, or as an admin another user's.",
    ),
    "delete": Lazy("openpai.cli.commands.user.delete:delete", "Delete users (admins only)."),
}

GROUP = {
    "list": Lazy("openpai.cli.commands.group.list:list_groups", "List the groups of a cluster."),
    "show": Lazy("openpai.cli.commands.group.show:show", "Show what the users in a group may use."),
    "members": Lazy(
        "openpai.cli.commands.group.members:members", "List the users in a group (admins only)."
    ),
    "create": Lazy("openpai.cli.commands.group.create:create", "Make a group (admins only)."),
    "update": Lazy("openpai.cli.commands.group.update:update", "Change a group (admins only)."),
    "delete": Lazy("openpai.cli.commands.group.delete:delete", "Delete groups (admins only)."),
}

#: Commands of one group that are another's: (name, path in the tree, help)
JOB_ALIASES = {
    "rerun": (("job", "clone"), "Submit a job once more (= job clone)."),
    "notebook": (("notebook", "submit"), "Submit a notebook (= notebook submit)."),
    "connect": (("notebook", "connect"), "Open a notebook job (= notebook connect)."),
}


class JobGroup(LazyGroup):
    """``opai job``: its own commands, and the old names of the notebook commands."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return its own names, then the aliases."""
        return [*self.table, *JOB_ALIASES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; an alias is looked up where it belongs."""
        if cmd_name not in JOB_ALIASES:
            return super().get_command(ctx, cmd_name)
        found: click.Command | None = opai
        for part in JOB_ALIASES[cmd_name][0]:
            found = found.get_command(ctx, part) if isinstance(found, click.Group) else None
        return found

    def summary(self, ctx: click.Context, name: str) -> str:
        """Return one line about a command."""
        return JOB_ALIASES[name][1] if name in JOB_ALIASES else super().summary(ctx, name)


GROUPS: Mapping[str, LazyGroup] = {
    "cluster": LazyGroup("cluster", CLUSTER, help="Know clusters, log in, see what is free."),
    "job": JobGroup("job", JOB, help="Submit, watch and stop jobs."),
    "sweep": LazyGroup(
        "sweep",
        SWEEP,
        help="Many jobs as one thing: list, stop, collect, run again what failed.",
        epilog="Begin one with: opai job sweep FILE -p NAME=VALUE,VALUE",
    ),
    "output": LazyGroup("output", OUTPUT, help="Fetch the files that jobs saved."),
    "user": LazyGroup("user", USER, help="Who may use a cluster, and how."),
    "group": LazyGroup("group", GROUP, help="What users may use, by group."),
    "local": LazyGroup("local", LOCAL, help="A PAI cluster on this machine."),
}

SINGLES = {
    "set": Lazy(
        "openpai.cli.commands.defaults:set_", "Set default values of options, or list them."
    ),
    "unset": Lazy("openpai.cli.commands.defaults:unset", "Remove default values of options."),
    "completion": Lazy(
        "openpai.cli.commands.completion:completion", "Print the code for <Tab> in your shell."
    ),
}


class Root(LazyGroup):
    """``opai``: our own groups, then whatever is installed, then programs named ``opai-NAME``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return our own names, then the contributed ones."""
        own = [*GROUPS, *self.table]
        others = [name for name in _plugins.contributed() if name not in own]
        return [*GROUPS, *sorted(others), *self.table]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return our own command, else a contributed one; nothing can stand in for our own."""
        if cmd_name in GROUPS:
            return GROUPS[cmd_name]
        return super().get_command(ctx, cmd_name) or _plugins.load(cmd_name)

    def summary(self, _ctx: click.Context, name: str) -> str:
        """Return one line about a command."""
        if name in GROUPS:
            return GROUPS[name].help or ""
        return self.table[name].help if name in self.table else _plugins.summary(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a known name whose distribution is missing says what to install."""
        hint = _plugins.missing(args[0])
        if hint and self.get_command(ctx, args[0]) is None:
            raise unknown("command", args[0], (), ctx, hint)
        return super().resolve_command(ctx, args)


@click.command(
    cls=Root,
    name="opai",
    table=SINGLES,
    epilog="A first job: opai local up && opai job sub --image python:3.11 --follow echo hello",
)
@click.version_option(__version__, prog_name="opai", message="%(prog)s %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr what is being done.")
@click.option("--debug", is_flag=True, help="Show requests, and a traceback where one fails.")
@click.option("--no-color", is_flag=True, help="Write without colour (also: NO_COLOR=1).")
@pass_app
def opai(app: CliApp, verbose: bool, debug: bool, no_color: bool) -> None:
    """Submit AI jobs to OpenPAI clusters, watch them, get their files back."""
    if no_color:
        app.console.color = False
    if verbose or debug:
        import logging

        logging.basicConfig(format="opai: %(name)s: %(message)s")
        logging.getLogger("openpai").setLevel(logging.DEBUG if debug else logging.INFO)
