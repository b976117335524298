"""The command tree: every command's name and help line, and commands of other distributions."""

from __future__ import annotations

from collections.abc import Mapping

import click

from openpai.cli.__about__ import __version__
from openpai.cli.framework import (
    CliApp,
    LazyCommand,
    LazyGroup,
    lazy_commands,
    pass_app,
    plugins as _plugins,
    unknown,
)

__all__ = ["opai"]


CLUSTER = lazy_commands(
    "openpai.cli.commands.cluster",
    {
        "add": "Add a cluster and log in to it.",
        "list": "List the stored clusters.",
        "show": "Show the stored settings of a cluster.",
        "select": "Set the default cluster.",
        "check": "Diagnose the connection to a cluster.",
        "update": "Refresh stored cluster information.",
        "edit": "Open clusters.yaml in an editor.",
        "delete": "Delete a cluster and its token from this machine.",
        "login": "Log in again, with a password, a token, or a browser.",
        "logout": "Log out and delete the stored token.",
        "token": "Print a cluster's token.",
        "resources": "Show free and total resources.",
    },
)

SWEEP = lazy_commands(
    "openpai.cli.commands.sweep",
    {
        "list": "List your sweeps and their progress.",
        "status": "List the jobs of a sweep.",
        "wait": "Wait until the jobs of a sweep have ended.",
        "stop": "Stop all jobs of a sweep and submit no more.",
        "resume": "Submit the missing jobs of an interrupted sweep.",
        "rerun": "Rerun the failed jobs of a sweep.",
        "results": "Compare the results of many jobs.",
        "download": "Download the files that the jobs of a sweep saved.",
    },
)

JOB = {
    **lazy_commands(
        "openpai.cli.commands.job",
        {
            "sub": "Submit one command as a job.",
            "submit": "Submit a job file.",
            "run": "Run a job file on this machine, without a cluster.",
            "validate": "Validate job files, without a cluster.",
            "render": "Render the scripts of the task roles as the server does.",
            "diff": "Compare a job file with another file or with a job.",
            "schema": "Print the JSON Schema of job files.",
            "list": "List jobs, the newest first.",
            "status": "Show the state of a job and its tasks, with reasons.",
            "logs": "Print or follow the logs of a job's tasks.",
            "wait": "Wait until jobs have ended.",
            "stop": "Stop jobs.",
            "start": "Cancel a pending stop.",
            "clone": "Submit a job again under a new name.",
        },
    ),
    "sweep": LazyCommand(
        "openpai.cli.commands.sweep.submit", "sweep", "Submit one job for each set of parameters."
    ),
    "results": SWEEP["results"],
    **lazy_commands(
        "openpai.cli.commands.job",
        {
            "tasks": "List the tasks of a job's latest attempt.",
            "attempts": "List the attempts of a job and why they ended.",
            "events": "List the events of a job.",
            "tag": "Add, remove or list the tags of a job.",
            "ssh": "Log in to the container of a running task.",
            "open": "Open a job's page in the web portal.",
            "config": "Print the job file of a job.",
        },
    ),
}

OUTPUT = lazy_commands(
    "openpai.cli.commands.output",
    {
        "list": "List the files a job saved.",
        "download": "Download the files a job saved.",
        "peek": "Print a saved file.",
    },
)

LOCAL = lazy_commands(
    "openpai.cli.commands.local",
    {
        "up": "Start the local cluster.",
        "down": "Stop the local cluster.",
        "status": "Show the state of the local cluster.",
        "logs": "Print the log of the local cluster.",
        "prune": "Remove ended jobs with their logs and working folders.",
    },
)

USER = lazy_commands(
    "openpai.cli.commands.user",
    {
        "list": "List the users of a cluster.",
        "show": "Show a user; by default yourself.",
        "create": "Create a user (admins only).",
        "update": "Change a user (admins; users their own address).",
        "password": "Change a password (admins: of any user).",
        "delete": "Delete users (admins only).",
    },
)

GROUP = lazy_commands(
    "openpai.cli.commands.group",
    {
        "list": "List the groups of a cluster.",
        "show": "Show a group.",
        "members": "List the users in a group (admins only).",
        "create": "Create a group (admins only).",
        "update": "Change a group (admins only).",
        "delete": "Delete groups (admins only).",
    },
)

#: Further names in ``opai job``: name → (path in the tree, help line).
JOB_ALIASES = {
    "rerun": (("job", "clone"), "Submit a job again (= job clone)."),
    "notebook": (("notebook", "submit"), "Submit a notebook (= notebook submit)."),
    "connect": (("notebook", "connect"), "Open a notebook job (= notebook connect)."),
}


class JobGroup(LazyGroup):
    """``opai job``: its own commands, then aliases."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of commands, then the aliases."""
        return [*self.table, *JOB_ALIASES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command or the target of an alias."""
        if cmd_name not in JOB_ALIASES:
            return super().get_command(ctx, cmd_name)
        command: click.Command | None = opai
        for part in JOB_ALIASES[cmd_name][0]:
            command = command.get_command(ctx, part) if isinstance(command, click.Group) else None
        return command

    def summary(self, ctx: click.Context, name: str) -> str:
        """Return a command's help line."""
        return JOB_ALIASES[name][1] if name in JOB_ALIASES else super().summary(ctx, name)


GROUPS: Mapping[str, LazyGroup] = {
    "cluster": LazyGroup(
        "cluster", CLUSTER, help="Manage clusters and logins; show free resources."
    ),
    "job": JobGroup("job", JOB, help="Submit, follow and stop jobs."),
    "sweep": LazyGroup(
        "sweep",
        SWEEP,
        help="Manage sweeps (many jobs as one).",
        epilog="Submit one with: opai job sweep FILE -p NAME=VALUE,VALUE",
    ),
    "output": LazyGroup(
        "output", OUTPUT, help="List, download and read the files that jobs saved."
    ),
    "user": LazyGroup("user", USER, help="Manage users."),
    "group": LazyGroup("group", GROUP, help="Manage groups."),
    "local": LazyGroup("local", LOCAL, help="Run a PAI cluster on this machine."),
}

SINGLES = {
    "set": LazyCommand(
        "openpai.cli.commands.defaults", "set", "Set or list default values of options."
    ),
    "unset": LazyCommand(
        "openpai.cli.commands.defaults", "unset", "Remove default values of options."
    ),
    "completion": LazyCommand(
        "openpai.cli.commands.completion", "completion", "Print the shell code for tab completion."
    ),
}


class Root(LazyGroup):
    """``opai``: its own commands, those of other distributions, and programs ``opai-NAME``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of groups, contributed commands and single commands."""
        own = [*GROUPS, *self.table]
        others = [name for name in _plugins.contributed() if name not in own]
        return [*GROUPS, *sorted(others), *self.table]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return our own command, else a contributed one, which cannot replace our own."""
        if cmd_name in GROUPS:
            return GROUPS[cmd_name]
        return super().get_command(ctx, cmd_name) or _plugins.load(cmd_name)

    def summary(self, _ctx: click.Context, name: str) -> str:
        """Return a command's help line."""
        if name in GROUPS:
            return GROUPS[name].help or ""
        return self.table[name].help if name in self.table else _plugins.summary(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the distribution to install if it is missing."""
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
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, on stderr.")
@click.option("--debug", is_flag=True, help="Log requests, and show tracebacks of errors.")
@click.option("--no-color", is_flag=True, help="Disable colours (also: NO_COLOR=1).")
@pass_app
def opai(app: CliApp, verbose: bool, debug: bool, no_color: bool) -> None:
    """Submit AI jobs to OpenPAI clusters, follow them and get their files back."""
    if no_color:
        app.console.color = False
    if verbose or debug:
        import logging

        logging.basicConfig(format="opai: %(name)s: %(message)s")
        logging.getLogger("openpai").setLevel(logging.DEBUG if debug else logging.INFO)
