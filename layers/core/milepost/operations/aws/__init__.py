"""Dead-letter queues, and operations as functions build them."""
