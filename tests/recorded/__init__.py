"""What each version stored, recorded by running its code: ``python -m tests.recorded VERSION``."""
