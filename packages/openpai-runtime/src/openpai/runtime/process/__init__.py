"""Start, signal and reap processes."""
