"""Chats in AWS: drivers that post to them, based on those of endpoints."""
