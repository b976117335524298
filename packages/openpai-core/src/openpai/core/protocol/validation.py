"""Everything that is wrong with a job, for a person: all at once, with places and hints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from openpai.core.errors import Problem, ProtocolError
from openpai.core.json_pointer import json_pointer
from openpai.core.protocol import js
from openpai.core.protocol.job_yaml import YamlError, load_yaml
from openpai.core.protocol.messages import MOST_FINDINGS, Finding, schema_findings
from openpai.core.protocol.references import BrokenReferenceError, resolve_references
from openpai.core.protocol.schema import shared_schema
from openpai.core.protocol.source import Source, same, unshared
from openpai.core.protocol.templates import render_job
from openpai.core.rest import MAX_JOB_BYTES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FileVerdict",
    "ValidationResult",
    "check_file",
    "check_text",
    "job_problems",
    "protocol_error",
    "render_file",
    "server_verdict",
    "size_problems",
    "too_large",
    "validate_as_server",
]


_INVALID = "InvalidProtocolError"


@dataclass(frozen=True)
class ValidationResult:
    """The server's answer.

    Attributes:
        status: 202 accepted, 400 refused, 413 too large, 500 the server failed.
        code: The server's error code; ``None`` for 202, 413 and 500.
        message: What is wrong; empty for 202.
        document: The job, where the text is YAML at all.
        scripts: For 202 the script of each task role, as rendered by the server.
        findings: The violations of the schema.
    """

    status: int
    code: str | None = None
    message: str = ""
    document: Any = None
    scripts: Mapping[str, str] | None = None
    findings: Sequence[Finding] = field(default=(), repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the server takes the job."""
        return self.status == 202


def too_large(text: str) -> bool:
    """Whether a text is more than the server takes."""
    return len(text) > MAX_JOB_BYTES or len(text.encode("utf-8", "replace")) > MAX_JOB_BYTES


def server_verdict(text: str) -> ValidationResult:
    """Return what the server answers to the text of a job.

    What depends on the cluster is left out: name conflicts, permissions, storages, and HiveD.
    """
    if too_large(text):
        return ValidationResult(413, message="request entity too large")
    try:
        document = load_yaml(text)
    except YamlError as error:
        return ValidationResult(500, message=error.message)
    return validate_as_server(document)


def validate_as_server(document: Any) -> ValidationResult:
    """Return what the server answers to a job that has been read."""
    findings = schema_findings(document, shared_schema())
    if findings:
        message = "\n".join(finding.message for finding in findings)
        return ValidationResult(400, _INVALID, message, document, findings=findings)
    try:
        scripts = render_job(document, resolve_references(document))
    except BrokenReferenceError as fault:
        return ValidationResult(400, _INVALID, str(fault), document)
    except js.JsError as error:
        return ValidationResult(500, message=str(error), document=document)
    return ValidationResult(202, document=document, scripts=scripts)


@dataclass(frozen=True)
class FileVerdict:
    """Verdict on a job file.

    Attributes:
        file: Its name.
        valid: Whether the job is right.
        errors: What is wrong with it.
    """

    file: str
    valid: bool
    errors: Sequence[Problem] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return it as ``opai job validate -o json`` prints it."""
        errors = [problem._asdict() for problem in self.errors]
        return {"file": self.file, "valid": self.valid, "errors": errors}


def check_file(path: str | Path, strict: bool = True) -> FileVerdict:
    """Check a job file; one that cannot be read is not valid.

    Args:
        path: The file; ``-`` is standard input.
        strict: Also what the server takes and what then fails; otherwise the server's own verdict.
    """
    from openpai.core.protocol.source import read_text

    try:
        text = read_text(path)
    except ProtocolError as error:
        return FileVerdict(str(path), False, error.problems)
    except OSError as error:
        message = f"The file cannot be read: {error.strerror or error}."
        return FileVerdict(str(path), False, [Problem("", None, None, message)])
    return check_text(text, strict, str(path))


def check_text(text: str, strict: bool = True, file: str = "-") -> FileVerdict:
    """Check the text of a job; see :func:`check_file`."""
    found = text_problems(text, strict, file)
    return FileVerdict(file, not found, found)


def text_problems(text: str, strict: bool, file: str | None) -> list[Problem]:
    """Return what is wrong with the text of a job."""
    if size_problems(text):
        return size_problems(text)
    try:
        source = Source(text, file)
    except ProtocolError as error:
        return list(error.problems)
    return job_problems(source.tree, source, strict, sent_as_is=True)


def size_problems(text: str) -> list[Problem]:
    """Return a problem if a text is more than the server takes."""
    if not too_large(text):
        return []
    message = f"The job has more than {MAX_JOB_BYTES // 1024} KiB; the server takes no more."
    hint = "Move scripts and data out of the commands: into the code, a storage or the image."
    return [Problem("", None, None, message, hint)]


def job_problems(
    document: Any, source: Source | None, strict: bool, *, sent_as_is: bool = False
) -> list[Problem]:
    """Return what is wrong with a job, in the order of its text.

    Args:
        document: The job.
        source: The text that it was read from, if it was; places come from there.
        strict: Also what the server takes and what then fails.
        sent_as_is: Whether the text is what would be sent; a job object is written again where its
            text would show its secrets.
    """
    placed = source if source and same(source.tree, document) else None
    verdict = validate_as_server(document)
    findings = list(verdict.findings)
    if not findings and not verdict.accepted:
        findings = _server_findings(document, verdict.status, verdict.message)
    if strict:
        findings += _strict_findings(document, source if sent_as_is else None, findings)
    findings = findings[:MOST_FINDINGS]
    problems = [_placed(finding, placed) for finding in findings]
    if placed:
        problems.sort(key=lambda p: (p.line or 0, p.column or 0))
    return problems


def _strict_findings(
    document: Any, source: Source | None, known: Sequence[Finding]
) -> list[Finding]:
    from openpai.core.protocol.rules import strict_findings

    try:
        found = strict_findings(unshared(document), source)
    except ProtocolError as error:  # its aliases make it endless
        return [Finding((), error.message, error.hint)]
    reported = {(finding.path, finding.message) for finding in known}
    return [finding for finding in found if (finding.path, finding.message) not in reported]


def _server_findings(document: Any, status: int, message: str) -> list[Finding]:
    """Return what made the server refuse a job that keeps to its schema."""
    from openpai.core.protocol.rules.references import deployment_roles, references
    from openpai.core.protocol.rules.roles import no_roles
    from openpai.core.protocol.rules.rule import JobView
    from openpai.core.protocol.rules.templates import template_syntax

    case = JobView(document, None)
    rules = (references,) if status == 400 else (no_roles, template_syntax, deployment_roles)
    found = [finding for rule in rules for finding in rule(case)]
    return found or [Finding((), f"The server answers {status}: {message}.")]


def _placed(finding: Finding, source: Source | None) -> Problem:
    place = source.locate(finding.path, finding.at_key) if source else None
    line, column = place or (None, None)
    return Problem(json_pointer(finding.path), line, column, finding.message, finding.hint)


def protocol_error(problems: Sequence[Problem], file: str | None) -> ProtocolError:
    """Return one error for all problems; its text shows the first few."""
    lines = [_line(problem, file) for problem in problems[:10]]
    if len(problems) > 10:
        lines.append(f"… and {len(problems) - 10} more.")
    return ProtocolError("\n".join(lines), problems)


def _line(problem: Problem, file: str | None) -> str:
    place = (
        f"{file or 'line'}{':' if file else ' '}{problem.line}:{problem.column}: "
        if problem.line
        else ""
    )
    where = f" ({problem.path})" if problem.path else ""
    return f"{place}{problem.message}{where} {problem.hint}".rstrip()


def render_file(path: str | Path) -> dict[str, Any]:
    """Return what ``opai job render -o json`` prints of one job file.

    ``file``, ``taskRoles`` with the script of each task role as the server renders it, and, if the
    server does not take the job or the file cannot be read, ``errors`` as in
    :meth:`FileVerdict.to_dict`.
    """
    from openpai.core.protocol.source import read_text

    verdict = check_file(path, strict=False)
    if not verdict.valid:
        return {"file": verdict.file, "taskRoles": {}, "errors": verdict.to_dict()["errors"]}
    scripts = server_verdict(read_text(path)).scripts
    return {"file": verdict.file, "taskRoles": dict(scripts or {})}
