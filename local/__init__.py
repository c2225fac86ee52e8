"""The local stack: Milepost's own template on an emulator, with providers and an inbox.

Nothing that is deployed imports it.
"""
