"""Defaults of every test: credentials that are valid nowhere, and a fast Hypothesis profile.

``HYPOTHESIS_PROFILE=thorough`` has it try many more examples, other ones each time.
"""

import os
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings

from tests.described_answers import hold_answers_against_description
from tests.moto_corrections import correct_moto
from tests.moto_speed import make_moto_quicker

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-central-1",
    AWS_REGION="eu-central-1",
    AWS_EC2_METADATA_DISABLED="true",
    POWERTOOLS_SERVICE_NAME="milepost",
    POWERTOOLS_METRICS_NAMESPACE="Milepost/milepost",
)
os.environ.pop("AWS_PROFILE", None)
os.environ.pop("AWS_ENDPOINT_URL", None)

# A shared machine may be slow for a moment; how long one example takes says nothing.
settings.register_profile(
    "fast",
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile(
    "thorough", settings.get_profile("fast"), derandomize=False, max_examples=1_000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

hold_answers_against_description()
correct_moto()
make_moto_quicker()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all cases of a test marked ``sampled(n)`` as thorough, except n evenly distributed
    ones.
    """
    cases = defaultdict(list)
    for item in items:
        if marker := item.get_closest_marker("sampled"):
            cases[item.nodeid.partition("[")[0], marker.args[0]].append(item)
    for (_, count), found in cases.items():
        kept = {len(found) * place // count for place in range(count)}
        for place, item in enumerate(found):
            if place not in kept:
                item.add_marker(pytest.mark.thorough)
