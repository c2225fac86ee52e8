"""``milepost connections``: what the team's accounts at the providers are."""
