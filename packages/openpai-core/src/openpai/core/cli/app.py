"""Interface of the running ``opai`` for commands of other distributions.

The command line stores one object in click's root context; :func:`current_app` returns it. Through
it commands such as ``storage`` and ``notebook`` open clusters and write output without importing
``openpai.cli``.
"""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    ContextManager,
    Iterable,
    Mapping,
    Protocol,
    Sequence,
    Tuple,
)

if TYPE_CHECKING:
    from openpai.core.client import Cluster, RemoteJob

__all__ = ["App", "Column", "Row", "current_app"]

#: One row of output.
Row = Mapping[str, Any]

#: (header, key of the value in each row)
Column = Tuple[str, str]


class App(Protocol):
    """The running ``opai``: data goes to stdout, everything else to stderr."""

    def cluster(self, alias: str | None) -> Cluster:
        """Open the cluster with this alias; ``None`` means the selected one.

        Raises:
            ConfigError: The cluster is not known, or none is selected.
        """

    def emit(
        self,
        data: Row | Iterable[Row],
        *,
        columns: Sequence[Column],
        format: str,  # noqa: A002 - named as the option is
    ) -> None:
        """Write data to stdout.

        Args:
            data: One row, or an iterable of rows, which may be written as they come.
            columns: The columns of a table; ``name`` prints the first.
            format: ``table``, ``json``, ``yaml`` or ``name``; JSON and YAML hold all keys, as one
                object for one row and as a list for an iterable.
        """

    def note(self, text: str) -> None:
        """Write a message to stderr."""

    def progress(
        self, description: str, total: int | None
    ) -> ContextManager[Callable[[int], None]]:
        """Show progress on stderr while the block runs, on a terminal only.

        Returns:
            A context manager; its value is called with each advance, in the unit of ``total``
            (``None``: unknown).
        """

    def follow(self, job: RemoteJob, write: Callable[[str], None]) -> int:
        """Follow a job to its end and report how it ended.

        Ctrl-C and a lost connection end the command with the exit codes of ``opai job wait``.

        Args:
            job: The job.
            write: Called with each line of the log.

        Returns:
            The job's own exit code.
        """

    def confirm(self, question: str) -> bool:
        """Ask yes or no; the answer is no without a terminal."""


def current_app(context: Any) -> App:
    """Return the running ``opai`` of a click context."""
    app: App = context.find_root().obj
    return app
