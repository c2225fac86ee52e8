"""``milepost orders``."""
