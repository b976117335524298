"""Notebooks as files and as scripts; parameters and results."""
