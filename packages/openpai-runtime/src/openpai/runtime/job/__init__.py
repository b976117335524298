"""The task's job: configuration, working directory, retry policy."""
