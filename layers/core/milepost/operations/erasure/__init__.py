"""Erasure of a customer: their orders, and everything else that names them."""
