"""The command ``openpai-runtime``."""
