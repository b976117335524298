"""Explain why the command failed."""
