"""The running ``opai``, as commands know it: the ``App`` of ``openpai.core.cli.app``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.ui import Console, visible
from openpai.core.cli import Column, Row

if TYPE_CHECKING:
    from openpai.core.client import Cluster, RemoteJob
    from openpai.core.config import Defaults

__all__ = ["CliApp", "pass_app"]


class CliApp:
    """What every command gets as click's context object.

    Attributes:
        console: Where output goes.
        debug: Whether tracebacks are shown.
    """

    def __init__(self) -> None:
        self.console = Console()
        self.debug = False
        self._clusters: list[Cluster] = []
        self._defaults: Defaults | None = None

    def cluster(self, alias: str | None) -> Cluster:
        """Open the cluster with this alias; ``None`` means the selected one.

        Raises:
            ConfigError: No such cluster is known, or none is selected.
        """
        from openpai.core.client import Cluster

        self._hush()
        cluster = Cluster.load(alias)
        self._clusters.append(cluster)
        return cluster

    def _hush(self) -> None:
        """Keep libraries from writing tracebacks of their own when a connection is cut."""
        if not self.debug:
            import logging

            logging.getLogger("urllib3").setLevel(logging.ERROR)

    def default(self, key: str) -> Any:
        """Return a layered default.

        Raises:
            ConfigError: A defaults file cannot be read.
        """
        if self._defaults is None:
            from openpai.core.config import load_defaults

            self._defaults = load_defaults()
        return self._defaults.get(key)

    def emit(
        self,
        data: Row | Iterable[Row],
        *,
        columns: Sequence[Column],
        format: str,  # noqa: A002 - named as the option is
    ) -> None:
        """Write data to stdout; see :meth:`openpai.core.cli.app.App.emit`."""
        from openpai.cli.ui import emit

        emit(self.console, data, columns=columns, format=format)

    def note(self, text: str) -> None:
        """Write a sentence for people to stderr."""
        self.console.note("\n".join(map(visible, text.split("\n"))))

    @contextmanager
    def progress(self, description: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show progress on stderr while the block runs, on a terminal only."""
        from openpai.cli.ui import Progress

        progress = Progress(self.console, description, total)
        try:
            yield progress.advance
        finally:
            progress.close()

    def follow(self, job: RemoteJob, write: Callable[[str], None]) -> int:
        """See a job to its end; see :meth:`openpai.core.cli.app.App.follow`."""
        from openpai.cli.framework.follow import exit_code_of, how_it_ended, in_sight

        with in_sight(self, job):
            for line in job.logs(follow=True):
                write(line)
            detail = job.wait()
        self.note(how_it_ended(detail))
        return exit_code_of(detail)

    def confirm(self, question: str) -> bool:
        """Ask for yes or no; without a terminal the answer is no."""
        return self.console.is_interactive and click.confirm(question, err=True)

    def close(self) -> None:
        """Close every cluster that was opened."""
        for cluster in self._clusters:
            cluster.close()
        self._clusters.clear()


pass_app = click.make_pass_decorator(CliApp)
