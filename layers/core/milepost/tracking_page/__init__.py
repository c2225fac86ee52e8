"""The tracking page: a signed link that shows customers the progress of their order."""
