"""``milepost activity``, and recording the changes that the command itself makes."""
