"""``python -m openpai.runtime``."""

from __future__ import annotations

import sys

from openpai.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
