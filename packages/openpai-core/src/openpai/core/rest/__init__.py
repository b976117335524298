"""The wire: one session, and one module for each group of the REST API's operations."""
