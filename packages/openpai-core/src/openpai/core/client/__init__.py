"""The client: ``Cluster``, ``RemoteJob``, submission, logs, diagnosis."""
