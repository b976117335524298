"""The JSON Schema of a job: the one source of the rules that the server's schema states.

It says what the server's own does (rest-server/src/config/v2/protocol.js), with descriptions for
people and editors. :mod:`openpai.core.protocol.ajv` checks jobs against it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["editor_schema", "job_schema", "shared_schema"]


def job_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of a job, a copy of your own."""
    return deepcopy(shared_schema())


def editor_schema() -> dict[str, Any]:
    """Return the schema for editors: a job's, and that of the ``openpai.runtime`` section in it."""
    from openpai.core.protocol.runtime_section import SECTION_KEY, section_schema

    schema = job_schema()
    schema["properties"]["extras"]["properties"][SECTION_KEY] = section_schema()
    return schema


@lru_cache(maxsize=1)
def shared_schema() -> dict[str, Any]:
    """Return the schema that everybody shares and nobody changes."""
    text = Path(__file__).with_name("job.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
