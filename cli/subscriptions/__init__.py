"""``milepost subscriptions``: who is notified of what."""
