"""Exports in AWS: ExportsTable, the bucket of files, the job and its mail."""
