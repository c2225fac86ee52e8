"""The activity log in DynamoDB."""
