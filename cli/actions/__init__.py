"""``milepost actions``: run actions on orders."""
