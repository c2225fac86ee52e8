"""``milepost providers``: declared providers, from a file to the connections that use them."""
