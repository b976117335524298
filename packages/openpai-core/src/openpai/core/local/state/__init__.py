"""The local cluster's state: records, database, accounts, tokens."""
