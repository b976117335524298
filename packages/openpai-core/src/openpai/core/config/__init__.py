"""What the user keeps on this machine: clusters, credentials, defaults."""
