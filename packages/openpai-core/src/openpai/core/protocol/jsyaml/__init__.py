"""YAML as js-yaml 3.13 reads it, which is how the server reads a job.

PyYAML and js-yaml differ in types (``1e-4``, ``yes``, ``0o10``, ``1:30``), in keys (texts only;
duplicates are errors), and in syntax. This reader follows js-yaml in all of it, down to the text
of its errors, and remembers where in the file each value stands. PyYAML has no such mode.
"""
