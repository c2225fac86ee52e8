"""``milepost subscriptions``: who is told of what."""
