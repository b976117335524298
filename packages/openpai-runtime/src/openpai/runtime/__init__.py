"""Runs inside a job container: fetches code, passes signals on, saves outputs."""
