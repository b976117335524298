"""Start tasks as processes or containers."""
