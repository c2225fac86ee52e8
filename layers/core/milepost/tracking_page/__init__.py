"""The tracking page: a signed link that shows customers where their order stands."""
