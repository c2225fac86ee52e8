"""What AWS keeps, kept in memory; each passes the suite of tests/contracts as the real one does."""
