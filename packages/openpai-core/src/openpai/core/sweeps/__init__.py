"""Sweeps: parameters, submission with a limit, results."""
