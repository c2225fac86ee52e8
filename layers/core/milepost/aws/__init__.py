"""Shared AWS plumbing: clients, items of DynamoDB, batches of SQS, secrets, keys."""
