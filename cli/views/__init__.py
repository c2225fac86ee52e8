"""The part ``views`` of the command."""
