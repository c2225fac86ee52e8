"""Chats in AWS: what posts to them, by the drivers of endpoints."""
