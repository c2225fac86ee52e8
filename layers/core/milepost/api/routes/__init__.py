"""Routes of the API: one module with a router for each resource."""
