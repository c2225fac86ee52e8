"""Outbound webhooks: notices to the endpoints of subscribers."""
