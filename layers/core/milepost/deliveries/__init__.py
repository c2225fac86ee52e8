"""Deliveries of the inbox: read by the provider's adapter, and recorded in their orders."""
