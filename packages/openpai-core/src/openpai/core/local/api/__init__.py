"""The REST API of the local cluster."""
