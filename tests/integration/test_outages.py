"""Which errors of AWS are of something that is down: a request that meets one is answered 503."""

import pytest

from milepost.aws.errors import is_outage
from tests.integration.call_failures import Failure, error_of
from tests.stack import aws

SERVICES = ["dynamodb", "s3", "scheduler", "secretsmanager", "sesv2", "sns", "sqs", "ssm"]


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("service", SERVICES)
def test_every_failure_but_a_missing_permission_may_pass_by_itself(
    service: str, failure: Failure, moto: None
) -> None:
    error = error_of(failure, aws(service), "Anything")
    assert is_outage(error) is (failure is not Failure.DENIED)
