"""Run a notebook where its job runs: ``python -m openpai.notebook.execute NOTEBOOK``.

Needs nbclient and a kernel (the extra ``execute``) for the mode ``silent``, and nothing but Python
for the mode ``script``. The modules here, and those of ``openpai.notebook`` that they use, must run
on Python 3.8: they travel with the job into images that are older than the submitter's machine.
"""
