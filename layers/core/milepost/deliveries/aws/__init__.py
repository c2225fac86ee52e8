"""Records deliveries in OrdersTable, or stores them in the quarantine."""
