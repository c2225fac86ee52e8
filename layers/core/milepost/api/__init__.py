"""The orders API: what people and their programs see and steer, behind a token.

Each subject is a module with a router; ``routes.py`` names them all.
"""
