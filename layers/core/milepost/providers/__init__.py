"""Providers: one adapter each, and what adapters share."""
