"""Milepost: where every order stands, at every provider, told once to the right people."""

import gc

# A start makes up to a hundred thousand objects, and nearly all of them stay. To look through the
# young ones after every seven hundred is a tenth of it, and even once is a twentieth.
gc.set_threshold(150_000, 20, 20)
