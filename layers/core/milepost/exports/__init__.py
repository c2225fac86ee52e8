"""Lists as files: their columns, as CSV and as JSON Lines."""
