"""Storages: the interface, the local folder, checksums, the job folder, transfers."""
