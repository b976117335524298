"""Read YAML with the server's meaning, and write YAML that the server and PyYAML read the same."""

from __future__ import annotations

from typing import Any

from openpai.core.protocol.jsyaml.errors import YamlError
from openpai.core.protocol.jsyaml.reader import Reader

__all__ = ["YamlError", "dump_yaml", "load_yaml", "read_yaml"]


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text as js-yaml 3.13 reads it; ``UNDEFINED`` for an empty one.

    Raises:
        YamlError: js-yaml refuses the text.
    """
    return read_yaml(text).read()


def read_yaml(text: str) -> Reader:
    r"""Return a reader for a text, its line breaks made ``\n`` and its byte order mark removed."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text and text[-1] != "\n":
        text += "\n"
    return Reader(text[1:] if text.startswith("\ufeff") else text)


def dump_yaml(document: Any) -> str:
    """Return YAML text in block style that js-yaml 3.13 and PyYAML read as the same value.

    The order of keys is kept; texts of several lines become literal blocks; whatever one of the two
    readers would take for something else than a text is quoted. Where a mapping has the key
    ``secrets``, a key of plain letters follows it, which the server's masking needs.

    Raises:
        OpenPaiError: The value holds something that YAML for jobs has no form for.
    """
    from openpai.core.protocol.yaml_writer import write

    return write(document)
