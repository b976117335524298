"""The small process that holds one running task; it needs neither the server nor site-packages."""
