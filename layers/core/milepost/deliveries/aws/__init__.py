"""Recording deliveries in OrdersTable, or keeping them in the quarantine."""
