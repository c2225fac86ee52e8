"""Milepost: where every order stands, at every provider, told once to the right people."""

import gc

# A start makes objects by the ten thousands that nearly all stay, and the collector looks them
# through again with every seven hundred new ones: a tenth of a start, and some of every event.
gc.set_threshold(50_000, 20, 20)
