"""AWS: the only botocore, and the only condition expressions."""
