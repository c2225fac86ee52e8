"""Endpoints in AWS: HTTP, their log, their secrets."""
