"""``python -m openpai.cli`` is ``opai``."""

from __future__ import annotations

import sys

from openpai.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
