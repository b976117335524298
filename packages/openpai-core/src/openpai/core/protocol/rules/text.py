"""Secrets that the server's mask would not cover in this very text, and secrets that are gone."""

from __future__ import annotations

from typing import Iterator

from openpai.core.protocol.messages import Finding
from openpai.core.protocol.rules.rule import JobView, rule
from openpai.core.protocol.secrets import hides_secrets


@rule(
    "readable secrets",
    "secrets where the server's mask misses them: a quoted key, JSON, an indented document",
    "accepted; every user of the cluster can read them in the job's config",
)
def _readable_secrets(case: JobView) -> Iterator[Finding]:
    if case.source and not hides_secrets(case.source.text, case.document):
        message = "Every user of the cluster would see these secrets in the job's config."
        hint = "Write the key 'secrets:' without quotes, at the beginning of a line of its own."
        yield Finding(("secrets",), message, hint, at_key=True)
