"""Webhooks from the provider's side: sign one, or send a test."""
