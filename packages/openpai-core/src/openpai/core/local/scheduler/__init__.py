"""Decide which tasks start, and record how they end."""
