"""Providers that a file declares: its format, and the adapter that follows it."""
