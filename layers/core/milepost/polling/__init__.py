"""Polling: a provider's order list, page by page."""
