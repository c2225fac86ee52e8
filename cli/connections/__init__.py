"""``milepost connections``: the team's accounts at the providers."""
