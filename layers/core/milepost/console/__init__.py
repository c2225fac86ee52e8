"""The console: pages in a browser where the team looks at orders and acts on them."""
