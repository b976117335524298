"""A notebook's job on a cluster, and what it gives back."""

from __future__ import annotations

import posixpath
from functools import cached_property
from pathlib import Path
from typing import Any, Mapping

from openpai.core.client import RemoteJob
from openpai.core.files import write_file
from openpai.notebook.errors import NotebookError
from openpai.notebook.formats import Notebook, parse_notebook, recorded, recorded_lines
from openpai.notebook.jobs.description import FACTS_KEY

__all__ = ["NotebookJob"]


class NotebookJob(RemoteJob):
    """The job of a notebook.

    While it runs, what it gives back is as it was saved last, at most half a minute ago.
    """

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """Path of the notebook in the job's working folder, and the mode.

        Raises:
            NotebookError: It is not the job of a notebook.
            OpenPaiError: There is no such job, or the cluster does not answer.
        """
        extras = self.config().document.get("extras") or {}
        facts = extras.get(FACTS_KEY)
        if not isinstance(facts, dict) or not facts.get("notebook") or not facts.get("mode"):
            raise NotebookError(f"'{self.key}' is not the job of a notebook.")
        return facts

    def notebook(self) -> Notebook:
        """Return the executed notebook as the plain data of notebook format 4.

        ``metadata["openpai"]["status"]`` is its progress: ``running``, ``succeeded``,
        ``failed`` or ``stopped``.

        Raises:
            NotebookError: The job has saved none (yet), or its mode makes none.
            OpenPaiError: The cluster or the storage does not answer.
        """
        return parse_notebook(self._executed(), self.facts["notebook"])

    def _executed(self) -> bytes:
        """Return the file of the executed notebook.

        Until the notebook is begun, the file of this name is the one that was submitted.
        """
        if self.facts["mode"] == "script":
            raise NotebookError(f"'{self.key}' runs as a script; it gives back no notebook.")
        data = self._read(self.facts["notebook"])
        made = parse_notebook(data, self.facts["notebook"])["metadata"].get("openpai")
        is_edited_by_hand = self.facts["mode"] == "interactive"
        if is_edited_by_hand:
            return data
        if not isinstance(made, dict) or made.get("job") != self.key:
            raise self._nothing(f"did not come to run '{self.facts['notebook']}'")
        return data

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
        if self.facts["mode"] != "script":
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

    def server_url(self, timeout: float | None = None) -> str:
        """Return the address of an interactive job's Jupyter server, once it answers.

        The address holds the server's token: who has it can run code in the job.

        Args:
            timeout: Seconds to wait at most; ``None``: as long as the job may still start.

        Raises:
            NotebookError: The job is not interactive, was submitted from another machine, or ended.
            WaitTimeout: The time ran out.
            OpenPaiError: The cluster does not answer.
        """
        from openpai.notebook.jobs.server import server_url as wait_for_url

        if self.facts["mode"] != "interactive":
            raise NotebookError(f"'{self.key}' is not interactive; it serves no notebook.")
        return wait_for_url(self, timeout=timeout)

    def fetch(self, folder: Path | str = ".") -> Path:
        """Copy what the job made of the notebook to this machine, under the job's name.

        Returns:
            The file: ``<job>.ipynb`` with the outputs of its cells, or ``<job>.py``.

        Raises:
            NotebookError: The job has saved nothing (yet).
            OSError: The file cannot be written.
            OpenPaiError: The cluster or the storage does not answer.
        """
        script = self.facts["mode"] == "script"
        data = self._read(self._beside(".py")) if script else self._executed()
        target = Path(folder) / f"{self.name}{'.py' if script else '.ipynb'}"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, data)
        return target

    def _beside(self, suffix: str) -> str:
        """Return the name of another file that the run makes of the notebook."""
        return posixpath.splitext(self.facts["notebook"])[0] + suffix

    def _read(self, name: str) -> bytes:
        """Read a file that the job has saved."""
        try:
            storage, folder = self.outputs()
            with storage, storage.open_read(posixpath.join(folder, name)) as file:
                return file.read()
        except FileNotFoundError:
            raise self._nothing(f"has not saved '{name}'") from None

    def _nothing(self, what: str) -> NotebookError:
        return NotebookError(
            f"'{self.key}' {what}; the job is {self.state()}.",
            f"See its log: opai job logs {self.key}",
        )
