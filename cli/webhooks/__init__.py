"""Commands that act as a provider: sign a webhook, or send a test."""
