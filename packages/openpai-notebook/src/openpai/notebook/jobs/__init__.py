"""Jobs of notebooks: description, submission, results, servers."""
