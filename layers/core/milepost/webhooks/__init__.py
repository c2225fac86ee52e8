"""Inbound webhooks: signatures, the inbox, deliveries."""
