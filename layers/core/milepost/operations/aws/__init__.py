"""Dead-letter queues, and the operations that functions share."""
