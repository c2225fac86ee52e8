"""Forecasts: when a stage and an order will end, how certain it is, which stages slow down."""
