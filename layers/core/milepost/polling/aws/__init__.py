"""PollsTable, TouchedTable, and what polls remember of pages in S3."""
