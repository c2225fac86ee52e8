"""Erasure in AWS: ErasuresTable, and the places that it erases: orders, notices, records."""
