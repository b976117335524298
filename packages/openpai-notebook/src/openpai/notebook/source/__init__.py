"""The notebook to submit: where it lies, which cells and packages it needs."""
