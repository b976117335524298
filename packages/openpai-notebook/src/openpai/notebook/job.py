"""A notebook's job on a cluster, and what it gives back."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, Mapping

from openpai.core.errors import NotFoundError
from openpai.core.remote_job import RemoteJob
from openpai.notebook.describe import FACTS_KEY
from openpai.notebook.document import Notebook, parse_notebook, write_whole
from openpai.notebook.errors import NotebookError
from openpai.notebook.results import recorded, recorded_lines

__all__ = ["NotebookJob"]


class NotebookJob(RemoteJob):
    """The job of a notebook.

    While it runs, what it gives back is as it was saved last, at most half a minute ago.
    """

    def mode(self) -> str:
        """Return how the notebook runs: ``silent`` or ``script``.

        Raises:
            NotebookError: It is not the job of a notebook.
            OpenPaiError: There is no such job, or the cluster does not answer.
        """
        return self._facts()["mode"]

    def notebook(self) -> Notebook:
        """Return the executed notebook as the plain data of notebook format 4.

        ``metadata["openpai"]["status"]`` tells how far it is: ``running``, ``succeeded``,
        ``failed`` or ``stopped``.

        Raises:
            NotebookError: The job has saved none (yet), or its mode makes none.
            OpenPaiError: The cluster or the storage does not answer.
        """
        facts = self._facts()
        if facts["mode"] != "silent":
            raise NotebookError(f"'{self.key}' ran as a script; it gives back no notebook.")
        data = self._read(facts["notebook"])
        return parse_notebook(data, posixpath.basename(facts["notebook"]))

    def html(self) -> str:
        """Return the executed notebook as a web page.

        Raises:
            NotebookError: The job has saved none: it has not ended, was submitted without, or its
                image has no nbconvert.
            OpenPaiError: The cluster or the storage does not answer.
        """
        return self._read(self._beside(".html")).decode("utf-8")

    def results(self) -> dict[str, Any]:
        """Return all values that the notebook has recorded so far, by name.

        Raises:
            NotebookError: The job has saved nothing (yet).
            OpenPaiError: The cluster or the storage does not answer.
        """
        if self._facts()["mode"] == "silent":
            return recorded(self.notebook())
        return recorded_lines(self._read(self._beside(".results.jsonl")).decode("utf-8"))

    def result(self, name: str) -> Any:
        """Return a value that the notebook has recorded (:func:`openpai.notebook.record`).

        Raises:
            NotebookError: It has recorded no value of this name (yet).
            OpenPaiError: The cluster or the storage does not answer.
        """
        results = self.results()
        if name not in results:
            known = ", ".join(results) or "none"
            raise NotebookError(f"'{self.key}' has recorded no '{name}' (recorded: {known}).")
        return results[name]

    def fetch(self, folder: Path | str = ".") -> Path:
        """Copy what the job made of the notebook to this machine, under the job's name.

        Returns:
            The file: ``<job>.ipynb`` with the outputs of its cells, or ``<job>.py``.

        Raises:
            NotebookError: The job has saved nothing (yet).
            OSError: The file cannot be written.
            OpenPaiError: The cluster or the storage does not answer.
        """
        silent = self._facts()["mode"] == "silent"
        source = self._facts()["notebook"] if silent else self._beside(".py")
        data = self._read(source)
        target = Path(folder) / f"{self.name}{'.ipynb' if silent else '.py'}"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, data)
        return target

    def _facts(self) -> Mapping[str, str]:
        extras = self.config().document.get("extras") or {}
        facts = extras.get(FACTS_KEY)
        if not isinstance(facts, dict) or not facts.get("notebook") or not facts.get("mode"):
            raise NotebookError(f"'{self.key}' is not the job of a notebook.")
        return facts

    def _beside(self, suffix: str) -> str:
        """Return the name of another file that the run makes of the notebook."""
        return posixpath.splitext(self._facts()["notebook"])[0] + suffix

    def _read(self, name: str) -> bytes:
        """Read a file that the job has saved."""
        try:
            storage, folder = self.outputs()
            with storage, storage.open_read(posixpath.join(folder, name)) as file:
                return file.read()
        except (FileNotFoundError, NotFoundError):
            raise NotebookError(
                f"'{self.key}' has not saved '{name}'; the job is {self.state()}.",
                f"Its log may tell why: opai job logs {self.key}",
            ) from None
