"""``milepost views``: saved filters of order lists."""
