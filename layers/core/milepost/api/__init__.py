"""The orders API: what people and their programs see and steer, behind a token.

Each subject is a module of ``routes`` with a router; ``routing.py`` names them all.
"""
