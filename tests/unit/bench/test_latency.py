"""The latency of events is that of each event, and no difference of two percentiles."""

from bench.latency import summarize


def test_percentiles_are_those_of_each_events_own_time() -> None:
    # The one slow event is slow because the emulator was: by itself it took 10 ms like all others.
    pairs = [((0.03, 0.05), (0.01, 0.01, 0.01))] * 99 + [((0.93, 0.95), (0.46, 0.46, 0.01))]

    figures = {figure.what: round(figure.measured) for figure in summarize(pairs)}

    assert figures == {
        "accepted webhook to SNS publish, p50": 10,
        "accepted webhook to SNS publish, p99": 10,
        "accepted webhook to SES send, p50": 20,
        "accepted webhook to SES send, p99": 20,
    }
