"""Connections: accounts at providers, their settings and their health."""
