"""One module for each group of operations: from a call to an answer."""
