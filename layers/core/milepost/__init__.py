"""Milepost: the status of every order at every provider; the right people are notified once."""

import gc

# A cold start creates up to 100,000 objects, and nearly all of them live on. With the default
# threshold of 700 objects, garbage collection takes a tenth of a start; one run takes a twentieth.
gc.set_threshold(150_000, 20, 20)
