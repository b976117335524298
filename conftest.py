"""What holds for all tests, and for the programs they start."""

import os
import signal

pytest_plugins = ["support.process_mark", "support.servers.fixtures"]

# A developer's own keyring is nobody's to write into; tests that want one bring one.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

# A shell's background jobs ignore Ctrl-C, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
