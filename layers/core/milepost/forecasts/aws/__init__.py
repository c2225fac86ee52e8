"""Forecasts in AWS: where they are stored."""
