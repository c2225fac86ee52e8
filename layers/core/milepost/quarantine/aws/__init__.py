"""The quarantine bucket."""
