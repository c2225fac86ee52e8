"""``milepost exports``: long lists as files that a job created."""
