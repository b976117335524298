"""Events of the task and their callbacks."""
