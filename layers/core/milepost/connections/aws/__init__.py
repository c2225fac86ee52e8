"""Connections in AWS: settings, credentials, activity, requests for polls."""
