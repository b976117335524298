"""The entry point of ``opai``: as little as possible is imported before it is needed."""

from __future__ import annotations

import sys

from openpai.cli.__about__ import __version__

__all__ = ["main"]


def main() -> int:
    """Run ``opai`` with the arguments of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        sys.stdout.write(f"opai {__version__}\n")
        return 0
    import gc

    gc.set_threshold(100_000, 50, 50)  # a short life makes little garbage; looking for it costs
    from openpai.cli.run import run

    return run(arguments)
