"""Messages to chats: notices to incoming webhooks of Slack and Microsoft Teams."""
