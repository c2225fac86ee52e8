"""Benchmarks: what Milepost costs, beside its peers and its limits in the same run."""
