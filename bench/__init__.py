"""Benchmarks: what Milepost costs, compared with other solutions and limits in the same run."""
