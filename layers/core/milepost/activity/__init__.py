"""What people changed: who, what, on what, when, and from where."""
