"""OrdersTable and its index: the only condition expressions on orders."""
