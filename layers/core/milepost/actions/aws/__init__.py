"""EventBridge Scheduler, and what it takes to act at a provider."""
