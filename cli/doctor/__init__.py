"""``milepost doctor``: checks whether a deployment works."""
