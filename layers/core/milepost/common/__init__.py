"""Primitives and vocabulary: times, JSON, identifiers, statuses. Imports nothing of Milepost."""
