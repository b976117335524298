"""Shared by the commands of all distributions: the interface of ``opai``, help, completion."""
