"""Erasure of a customer: their orders, and what else names them."""
