"""EventBridge Scheduler, batches in DynamoDB, and the dependencies of actions at a provider."""
