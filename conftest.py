"""What holds for all tests, and for the programs they start."""

import os

# A developer's own keyring is nobody's to write into; tests that want one bring one.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
