"""Save the job's outputs."""
