"""Where erasure reaches in AWS: ErasuresTable, orders, notices, records."""
