"""Fakes of AWS's stores in memory; each passes the real one's tests in tests/contracts."""
