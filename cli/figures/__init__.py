"""``milepost stages`` and ``commissions``: how long it took, and what it earned."""
