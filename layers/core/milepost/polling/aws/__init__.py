"""PollsTable, TouchedTable, and the page cache in S3."""
