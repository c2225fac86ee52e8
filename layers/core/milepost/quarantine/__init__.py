"""Quarantine: authentic payloads that can't be read, kept to be reprocessed."""
