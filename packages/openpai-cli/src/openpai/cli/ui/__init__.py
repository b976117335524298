"""Output for people: tables, progress, plots, live screens."""
