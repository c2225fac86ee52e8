"""Endpoints in AWS: HTTP, their queue, log and secrets."""
