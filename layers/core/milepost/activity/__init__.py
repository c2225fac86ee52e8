"""Changes that people made: who, what, on which resource, when, and by which interface."""
