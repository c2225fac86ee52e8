"""``milepost actions``: having something done with an order."""
