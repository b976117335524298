"""Rules of strict mode: jobs that the server accepts, or fails on, and that no author means.

Each rule says what really happens to such a job, so that the table in the documentation is made of
the rules themselves.
"""

from __future__ import annotations

from typing import Any

from openpai.core.protocol.messages import Finding
from openpai.core.protocol.source import Source

__all__ = ["strict_findings", "strict_rules"]


def strict_findings(document: Any, source: Source | None) -> list[Finding]:
    """Return what strict mode has against a job, beyond the server's schema.

    Args:
        document: The job; it may break the schema.
        source: The text that it was read from, if that is what would be sent.
    """
    from openpai.core.protocol.rules.rule import JobView

    if not isinstance(document, dict):
        return []
    case = JobView(document, source)
    found = [finding for rule in strict_rules() for finding in rule.check(case)]
    return list(dict.fromkeys(found))


def strict_rules() -> list[Any]:
    """Return all rules (:class:`~openpai.core.protocol.rules.rule.Rule`), in order."""
    from openpai.core.protocol.rules import credentials, extras, references, roles, templates, text
    from openpai.core.protocol.rules.rule import registered

    # Importing them registers their rules, in whatever order they were imported.
    order = [
        module.__name__ for module in (extras, credentials, references, roles, templates, text)
    ]
    return sorted(registered(), key=lambda rule: order.index(rule.check.__module__))
