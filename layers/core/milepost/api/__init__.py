"""The orders API: people and programs read orders and act on them, with a token.

Each resource has a module with a router in ``routes``; ``routing.py`` lists them.
"""
