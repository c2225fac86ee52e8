"""Declared providers: the format of their files, and the adapter that follows a file."""
