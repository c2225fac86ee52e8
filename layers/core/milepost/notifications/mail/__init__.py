"""Notifications by email: sending, tracking, unsubscribing."""
