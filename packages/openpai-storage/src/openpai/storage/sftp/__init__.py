"""SFTP."""
