"""Queries: lists, lookup, stage durations, commission."""
