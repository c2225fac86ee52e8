"""Actions: run by people on an order, at Milepost or at its provider."""
