"""The inbox queue, its deliveries, and signing secrets."""
