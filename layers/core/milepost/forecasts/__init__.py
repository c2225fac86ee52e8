"""When a stage and an order will end, how sure that is, and which stages are slowing down."""
