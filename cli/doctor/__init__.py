"""``milepost doctor``: whether a deployment is well."""
