"""Handlers of the operations, a module for each group."""
