"""OrdersTable and its index. No other package has condition expressions on orders."""
