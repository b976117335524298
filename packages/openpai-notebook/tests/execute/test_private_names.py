"""Names of nbclient that are private or overridden; its versions are pinned for them."""

from __future__ import annotations

import inspect

from nbclient import NotebookClient


def test_nbclient_has_kernel_cleanup() -> None:
    """`Client.stop` awaits it."""
    assert inspect.iscoroutinefunction(NotebookClient._async_cleanup_kernel)


def test_nbclient_has_overridden_methods() -> None:
    """With the parameters that `Client` passes on."""
    message = inspect.signature(NotebookClient.process_message).parameters
    output = inspect.signature(NotebookClient.output).parameters
    assert list(message) == ["self", "msg", "cell", "cell_index"]
    assert list(output) == ["self", "outs", "msg", "display_id", "cell_index"]
