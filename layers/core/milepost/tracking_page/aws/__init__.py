"""The tracking page in AWS: the versions of links."""
