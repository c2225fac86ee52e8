"""``milepost notices``: what was sent, what wasn't and why, and sending it again."""
