"""A keyring of the library keyring that keeps its entries in a file, and has moods."""

import json
import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Entries in $TEST_KEYRING_FILE; $TEST_KEYRING_MOOD makes it locked or silent."""

    priority = 5

    def _entries(self):
        if os.environ.get("TEST_KEYRING_MOOD") == "locked":
            raise KeyringLocked("Failed to unlock the collection!")
        if os.environ.get("TEST_KEYRING_MOOD") == "silent":
            time.sleep(600)
        path = Path(os.environ["TEST_KEYRING_FILE"])
        return json.loads(path.read_text()) if path.exists() else {}

    def _store(self, entries):
        Path(os.environ["TEST_KEYRING_FILE"]).write_text(json.dumps(entries))

    def get_password(self, service, username):
        """Return an entry or nothing."""
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        """Keep an entry."""
        self._store({**self._entries(), f"{service}/{username}": password})

    def delete_password(self, service, username):
        """Remove an entry, which must be there."""
        entries = self._entries()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not found")
        self._store(entries)
