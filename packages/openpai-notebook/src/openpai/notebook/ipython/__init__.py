"""Magics and displays in a notebook."""
