"""The command ``python -m openpai.notebook.execute``, and of the bundle that travels with a job."""

from __future__ import annotations

import sys

from openpai.notebook.execute.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
