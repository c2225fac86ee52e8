"""Deliveries of the inbox: parsed by the provider's adapter, and recorded in their orders."""
