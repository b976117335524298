"""Prepare the task: code, mounts, requirements, ssh, barrier."""
