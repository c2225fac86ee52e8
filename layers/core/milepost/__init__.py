"""Milepost: where every order stands, at every provider, told once to the right people."""
