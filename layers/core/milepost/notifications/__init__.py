"""Notifications: who is notified of what, by which channel, and when."""
