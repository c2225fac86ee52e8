"""OrdersTable and its index. No other package has condition expressions for orders."""
