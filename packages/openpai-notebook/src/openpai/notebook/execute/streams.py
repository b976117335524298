"""Text that a terminal would overwrite, and text that is too much for a notebook."""

from __future__ import annotations

from typing import Any

__all__ = ["BoundedStreams", "overwritten"]

#: Number of characters of a cell's output that a notebook keeps: of its beginning, and of the end
#: of stdout and stderr each. Browsers show twice this without delay.
LIMIT = 512 * 1024


def overwritten(text: str) -> str:
    """Return text as a terminal shows it once carriage returns have sent lines back to their start.

    A carriage return at the very end stays: only what follows it overwrites the line.
    """
    if "\r" not in text:
        return text
    lines = text.split("\n")
    last = lines.pop()
    shown = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    pending = "\r" if last.endswith("\r") else ""
    return "\n".join([*shown, last.rstrip("\r").rpartition("\r")[2] + pending])


def _joined(before: str, chunk: str) -> str:
    """Return ``before + chunk`` with the line that both share overwritten as a terminal would."""
    if "\r" not in chunk and not before.endswith("\r"):
        return before + chunk
    start = before.rfind("\n") + 1
    return before[:start] + overwritten(before[start:] + chunk)


class BoundedStreams:
    """Keeps what the cells print within bounds, in the outputs of the notebook.

    Consecutive pieces of one stream become one output. Past the limit the rest of each stream goes
    to one more output that holds the end and says how much is missing before it.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept = 0
        self._overflows: dict[str, _Overflow] = {}

    def settle(self, outputs: list[dict[str, Any]]) -> None:
        """Fit in the stream output that was just added at the end of a cell's outputs."""
        if len(outputs) == 1:  # the cell's first, or the first after the outputs were cleared
            self._kept = 0
            self._overflows = {}
        new = outputs[-1]
        text, rest = (
            new["text"][: self._limit - self._kept],
            new["text"][self._limit - self._kept :],
        )
        if text:
            new["text"] = text
            self._kept += self._merge(outputs)
        else:
            outputs.pop()
        if rest:
            self._overflow(new["name"], outputs).add(rest)

    def _merge(self, outputs: list[dict[str, Any]]) -> int:
        """Join the last output with the one before it where both are one stream; return growth."""
        new = outputs[-1]
        before = outputs[-2] if len(outputs) > 1 else {}
        if before.get("output_type") != "stream" or before["name"] != new["name"]:
            new["text"] = overwritten(new["text"])
            return len(new["text"])
        outputs.pop()
        size = len(before["text"])
        before["text"] = _joined(before["text"], new["text"])
        return len(before["text"]) - size

    def _overflow(self, name: str, outputs: list[dict[str, Any]]) -> _Overflow:
        if name not in self._overflows:
            output = type(outputs[-1] if outputs else {})(output_type="stream", name=name, text="")
            outputs.append(output)
            self._overflows[name] = _Overflow(output, self._limit)
        return self._overflows[name]


class _Overflow:
    """The end of a stream that is longer than a notebook should hold."""

    def __init__(self, output: dict[str, Any], limit: int) -> None:
        self._output = output
        self._limit = limit
        self._tail = ""
        self._dropped = 0

    def add(self, chunk: str) -> None:
        self._tail = _joined(self._tail, chunk)
        if len(self._tail) > 2 * self._limit:
            self._dropped += len(self._tail) - self._limit
            self._tail = self._tail[-self._limit :]
        dropped = self._dropped + max(0, len(self._tail) - self._limit)
        notice = f"\n[{dropped:,} characters are left out here; the job's log has them]\n"
        self._output["text"] = (notice if dropped else "") + self._tail[-self._limit :]
