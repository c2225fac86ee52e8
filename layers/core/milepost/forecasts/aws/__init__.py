"""Drivers of forecasts in AWS."""
