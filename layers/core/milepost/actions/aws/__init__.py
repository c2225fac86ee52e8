"""EventBridge Scheduler, batches in DynamoDB, and what actions at a provider need."""
