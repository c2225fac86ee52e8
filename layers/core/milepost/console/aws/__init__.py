"""The console's drivers on AWS."""
