"""What one task runs: environment, ports, steps, completion; records of jobs and tasks."""
