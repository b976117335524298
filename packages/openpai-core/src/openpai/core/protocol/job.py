"""A job as its author holds it: read, build, change, check, write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping

from openpai.core.errors import ProtocolError
from openpai.core.protocol.job_builder import JobBuilder

if TYPE_CHECKING:
    from pathlib import Path

    from openpai.core.errors import Problem
    from openpai.core.protocol.source import Source

__all__ = ["Job"]


class Job(JobBuilder):
    """A job of protocol version 2.

    Attributes:
        document: The job as plain dicts and lists; change it as you like. Keys that PAI does not
            know are kept, and so is the order.
    """

    def __init__(self, name: str | None = None, document: Mapping[str, Any] | None = None) -> None:
        """Begin a job.

        Args:
            name: Its name.
            document: Its content; by default the frame of an empty job.
        """
        if document is None:
            document = {"protocolVersion": 2, "name": name, "type": "job", "taskRoles": {}}
        self.document = dict(document)
        if name is not None:
            self.document["name"] = name
        self._source: Source | None = None

    @classmethod
    def from_yaml(cls, text: str, file: str | None = None) -> Job:
        """Read a job as the server would read it.

        Args:
            text: YAML, and so also JSON.
            file: The file's name, for messages.

        Raises:
            ProtocolError: The text is not YAML, or not a mapping; problems have line and column.
        """
        from openpai.core.protocol.source import Source, unshared

        source = Source(text, file)
        job = cls._from_tree(unshared(source.tree), file)
        job._source = source
        return job

    @classmethod
    def from_file(cls, path: str | Path) -> Job:
        """Read a job from a YAML or JSON file.

        Raises:
            ProtocolError: The file holds no job.
            OSError: The file cannot be read.
        """
        from openpai.core.protocol.source import read_text

        return cls.from_yaml(read_text(path), str(path))

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Job:
        """Take a job from a dict, which is copied.

        Raises:
            ProtocolError: It is not a mapping, or endless.
        """
        from openpai.core.protocol.source import unshared

        return cls._from_tree(unshared(document), None)

    @classmethod
    def from_remote(cls, config: str | Mapping[str, Any]) -> Job:
        """Take a job from a config that a server returned.

        Its secrets are asterisks: :meth:`problems` asks for them, and :meth:`secrets` puts them in.

        Raises:
            ProtocolError: It is not a job.
        """
        return cls.from_yaml(config) if isinstance(config, str) else cls.from_dict(config)

    @classmethod
    def _from_tree(cls, tree: Any, file: str | None) -> Job:
        if not isinstance(tree, dict):
            from openpai.core.errors import Problem

            message = f"{file or 'This'} holds no job: a job is a mapping of keys to values."
            raise ProtocolError(message, [Problem("", 1, 1, message)])
        return cls(document=tree)

    @property
    def name(self) -> str | None:
        """The job's name, without the user."""
        name = self.document.get("name")
        return None if name is None else str(name)

    def __repr__(self) -> str:
        return f"<Job {self.name}>"

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of the document."""
        from openpai.core.protocol.source import unshared

        copied: dict[str, Any] = unshared(self.document)
        return copied

    def to_yaml(self) -> str:
        """Return the job as YAML, in the form in which the server hides its secrets.

        A job that was read from YAML and not changed has its own text, comments included. Otherwise
        the text is in block style, read alike by the server and by PyYAML.

        Raises:
            ProtocolError: The document holds something that has no form in YAML.
        """
        from openpai.core.protocol.job_yaml import dump_yaml
        from openpai.core.protocol.source import same

        source = self._source
        if source and same(source.tree, self.document) and self._text_hides_secrets(source.text):
            return source.text
        return dump_yaml(self.document)

    def _text_hides_secrets(self, text: str) -> bool:
        from openpai.core.protocol.secrets import hides_secrets

        return hides_secrets(text, self.document)

    def renamed(self, name: str) -> Job:
        """Return a copy with another name."""
        return self._copy().set("name", name)

    def with_parameters(self, **parameters: Any) -> Job:
        """Return a copy with some parameters set."""
        copy = self._copy()
        for key, value in parameters.items():
            copy.set(["parameters", key], value)
        return copy

    def _copy(self) -> Job:
        copy = Job(document=self.to_dict())
        copy._source = self._source
        return copy

    def set(self, path: str | list[str | int], value: Any) -> Job:
        """Set a value, and make the mappings and lists that lead to it.

        Args:
            path: ``a.b[0].c``, ``a:b:0``, ``/a/b/0``, or a list of keys and indices.
            value: The value.

        Raises:
            ProtocolError: The path is invalid, or does not fit this job.
        """
        from openpai.core.protocol.edits import parse_path, set_value

        set_value(self.document, parse_path(path) if isinstance(path, str) else list(path), value)
        return self

    def problems(self, strict: bool = True) -> list[Problem]:
        """Return everything that is wrong with the job, in the order of the document.

        Args:
            strict: Also what the server accepts and what then fails or is not what was meant.
        """
        return self._check(strict)[0]

    def validate(self, strict: bool = True) -> None:
        """Check the job.

        Raises:
            ProtocolError: Something is wrong; ``problems`` has all of it.
            OpenPaiError: The extra ``openpai-core[validation]`` is not installed.
        """
        self.validated_yaml(strict)

    def validated_yaml(self, strict: bool = True) -> str:
        """Check the job and return its YAML, as :meth:`to_yaml`, written once for both.

        Raises:
            ProtocolError: Something is wrong; ``problems`` has all of it.
        """
        from openpai.core.protocol.validation import protocol_error

        problems, text = self._check(strict)
        if problems:
            raise protocol_error(problems, self._source.file if self._source else None)
        return self.to_yaml() if text is None else text

    def _check(self, strict: bool) -> tuple[list[Problem], str | None]:
        """Return all problems, and the YAML unless the document has no form in YAML."""
        from openpai.core.protocol.validation import job_problems, size_problems

        try:
            text = self.to_yaml()
        except ProtocolError as error:
            return list(error.problems), None
        return size_problems(text) or job_problems(self.document, self._source, strict), text

    def scripts(self) -> dict[str, str]:
        """Return the script of each task role as the server renders it.

        Raises:
            ProtocolError: The server does not take the job.
        """
        from openpai.core.protocol.validation import protocol_error, validate_as_server

        verdict = validate_as_server(self.document)
        if verdict.scripts is None:
            raise protocol_error(self.problems(strict=False), None)
        return dict(verdict.scripts)
