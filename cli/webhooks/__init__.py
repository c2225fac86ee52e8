"""Webhooks from the provider's side: signing one, and sending one to try the way in."""
