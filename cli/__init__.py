"""`milepost`: the operator's command."""
