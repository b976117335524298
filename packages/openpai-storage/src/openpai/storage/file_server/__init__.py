"""file_server."""
