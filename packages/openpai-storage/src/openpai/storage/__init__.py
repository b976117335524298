"""Move files to and from the storages of an OpenPAI cluster."""
