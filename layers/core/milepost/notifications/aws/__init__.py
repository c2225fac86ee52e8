"""NoticesTable, the topic and the queue of notices."""
