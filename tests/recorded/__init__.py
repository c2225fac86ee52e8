"""The data that each version stored, recorded with its code: ``python -m tests.recorded
VERSION``."""
