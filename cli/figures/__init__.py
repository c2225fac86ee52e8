"""``milepost stages`` and ``commissions``: how long stages took, and what orders earned."""
