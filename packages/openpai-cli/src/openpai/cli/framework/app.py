"""The context object of all commands; implements ``openpai.core.cli.App``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from openpai.cli.ui import Console, escape_control
from openpai.core.cli import Column, Row

if TYPE_CHECKING:
    from openpai.core.client import Cluster, RemoteJob
    from openpai.core.config import Defaults

__all__ = ["CliApp", "pass_app"]


class CliApp:
    """The running ``opai``.

    Attributes:
        console: Writes output.
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
            ConfigError: The cluster is not known, or none is selected.
        """
        from openpai.core.client import Cluster

        self._quiet_libraries()
        cluster = Cluster.load(alias)
        self._clusters.append(cluster)
        return cluster

    def _quiet_libraries(self) -> None:
        """Keep urllib3 from logging tracebacks of lost connections."""
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
        """Write a message to stderr."""
        self.console.print_error("\n".join(map(escape_control, text.split("\n"))))

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
        """Follow a job to its end; see :meth:`openpai.core.cli.app.App.follow`."""
        from openpai.cli.framework.follow import end_sentence, exit_code_of, following_job

        with following_job(self.console, job):
            for line in job.logs(follow=True):
                write(line)
            detail = job.wait()
        self.note(end_sentence(detail))
        return exit_code_of(detail)

    def confirm(self, question: str) -> bool:
        """Ask yes or no; the answer is no without a terminal."""
        return self.console.is_interactive and click.confirm(question, err=True)

    def close(self) -> None:
        """Close all clusters that were opened."""
        for cluster in self._clusters:
            cluster.close()
        self._clusters.clear()


pass_app = click.make_pass_decorator(CliApp)
