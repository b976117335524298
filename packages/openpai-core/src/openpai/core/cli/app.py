"""What a command contributed by another distribution may ask of the ``opai`` that runs it.

The command line puts one object into click's root context; a command that another distribution
brings (``storage``, ``notebook``) gets it by :func:`current_app` and needs to know neither
``openpai.cli`` nor how a cluster is chosen or a table is drawn.
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

#: One thing to show.
Row = Mapping[str, Any]

#: (header of the column, key of the value in each row)
Column = Tuple[str, str]


class App(Protocol):
    """The running ``opai``: data goes to stdout, everything else to stderr."""

    def cluster(self, alias: str | None) -> Cluster:
        """Open the cluster with this alias; ``None`` means the selected one.

        Raises:
            ConfigError: No such cluster is known, or none is selected.
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
            columns: What a table shows, in order; the first is what ``name`` prints.
            format: ``table``, ``json``, ``yaml`` or ``name``; JSON and YAML hold all keys, as one
                object for one row and as a list for an iterable.
        """

    def note(self, text: str) -> None:
        """Write a sentence for people to stderr."""

    def progress(
        self, description: str, total: int | None
    ) -> ContextManager[Callable[[int], None]]:
        """Show progress on stderr while the block runs, on a terminal only.

        Returns:
            A context manager whose value is called with each advance, in the unit of ``total``
            (``None`` where the end is not known).
        """

    def follow(self, job: RemoteJob, write: Callable[[str], None]) -> int:
        """See a job to its end and say how it ended.

        What ends the following early, Ctrl-C or a lost connection, ends the command with the exit
        codes that ``opai job wait`` has for it.

        Args:
            job: The job.
            write: Called with each line of its log, as it comes.

        Returns:
            The job's own exit code.
        """

    def confirm(self, question: str) -> bool:
        """Ask for yes or no; without a terminal the answer is no."""


def current_app(context: Any) -> App:
    """Return the running ``opai`` of a click context."""
    app: App = context.find_root().obj
    return app
