"""Exit codes of the runtime itself; all others are the command's.

PAI knows none of 193 to 199, so it shows them as they are in ``originUserExitCode`` and treats them
as unknown failures, which ``jobRetryCount`` may retry (k8s-job-exit-spec/config).
"""

from __future__ import annotations

__all__ = ["CALLBACK_FAILED", "NOT_READY", "OUTPUTS_NOT_SAVED", "TIMED_OUT"]

TIMED_OUT = 124
"""The command ran into the job's time limit (as ``timeout`` says it; 143 PAI would retry)."""

OUTPUTS_NOT_SAVED = 193
"""The command returned 0, and its outputs are not all saved."""

CALLBACK_FAILED = 194
"""The command returned 0, and a callback with ``failurePolicy: fail`` failed."""

NOT_READY = 195
"""The command was not started, because its preparation failed."""
